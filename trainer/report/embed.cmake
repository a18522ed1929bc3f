# cmake -DINPUT=file -DOUTPUT=file.cc -DNAME=Function -P embed.cmake
#
# Writes a source that defines segue::assets::<NAME>(), the bytes of INPUT.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
# A line each 8 bytes: compilers and people dislike one of a megabyte.
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)"
       "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"trainer/report/assets.h\"

namespace segue::assets {
namespace {
constexpr unsigned char kBytes[] = {
${bytes}
};
}  // namespace

absl::string_view ${NAME}() {
  return {reinterpret_cast<const char*>(kBytes), sizeof(kBytes)};
}

}  // namespace segue::assets
")
