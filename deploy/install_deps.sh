#!/usr/bin/env bash
# Installs what building Segue needs on Debian 12 (x86-64). Re-runnable; quick
# when everything is there.
#
#   deploy/install_deps.sh [--runtime-only | --with-dev-tools]
#
# --runtime-only: the packages that built binaries need, no more. They also need
#   the five libraries under .deps/arrow/lib (trainer only), which come from
#   where they were built (docker/Dockerfile copies them).
# --with-dev-tools: clang-format, clang-tidy and clang too, which tests/run.sh and
#   .ci/run want.
#
# Three sources:
#   apt          compiler, LibTorch, gRPC, Protobuf, Abseil, prometheus-cpp, ...
#   .deps/arrow  Apache Arrow C++ as the pyarrow wheel ships it (Debian 12 has
#                no Arrow package), pinned by version and SHA-256
#   .deps/faiss  Debian's own FAISS source, rebuilt for AVX2: the stock package
#                is SSE2 only and 1.5-3.5x slower. On a processor without AVX2
#                the stock package is used instead.
#
# SEGUE_DEPS names another folder than .deps; SEGUE_STOCK_FAISS=1 skips the
# rebuild.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly deps=${SEGUE_DEPS:-$PWD/.deps}
# Debian's own: another python3 on PATH would lack the packages named below.
readonly python=/usr/bin/python3
readonly arrow_version=26.0.1
readonly arrow_so=2600
readonly arrow_sha256=39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c

runtime_packages=(libtorch1.13 libopenblas0-openmp libgomp1 libgrpc++1.51
  libprotobuf32 libabsl20220623 libprometheus-cpp-core1.0 libcpp-httplib0.11
  libroaring0 libssl3 zlib1g ca-certificates)
build_packages=(build-essential cmake ninja-build ccache pkg-config
  libtorch-dev libfaiss-dev libopenblas-openmp-dev libgrpc++-dev
  libprotobuf-dev protobuf-compiler protobuf-compiler-grpc libabsl-dev
  prometheus-cpp-dev libcpp-httplib-dev libcli11-dev libroaring-dev
  libjs-chart.js libgtest-dev libgmock-dev libbenchmark-dev libssl-dev openssl
  zlib1g-dev python3 python3-pip python3-grpcio python3-protobuf ca-certificates dpkg-dev)
dev_packages=(clang-format clang-tidy clang-14 libclang-rt-14-dev libomp-dev)

say() { printf 'install_deps: %s\n' "$*"; }
die() { printf 'install_deps: %s\n' "$*" >&2; exit 1; }

packages=("${build_packages[@]}")
runtime_only=0
for arg in "$@"; do
  case $arg in
    --runtime-only) packages=("${runtime_packages[@]}") runtime_only=1 ;;
    --with-dev-tools) packages+=("${dev_packages[@]}") ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) die "unknown option $arg (see --help)" ;;
  esac
done

[ "$(uname -m)" = x86_64 ] || die "only x86-64 is supported, this is $(uname -m)"
command -v apt-get >/dev/null || die "needs Debian's apt-get; on other systems
install the packages named in this script by hand: ${packages[*]}"

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || die "run as root, or install sudo"
  as_root=(sudo)
fi

apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -qq \
    -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" </dev/null
}

missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
      grep -qx installed || printf '%s\n' "$name"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "apt: ${#missing[@]} packages to install"
  apt_get update >/dev/null
  apt_get install --no-install-recommends "${missing[@]}" >/dev/null
}

# Fetches FAISS's source package into the folder $1. Source packages are enabled
# for this one call, by lists of its own: the system's stay as they are.
fetch_faiss_source() {
  local folder=$1 version=$2 mirror options
  . /etc/os-release
  mirror=$(apt-get indextargets --format '$(CREATED_BY) $(SITE) $(RELEASE)' |
    awk -v r="$VERSION_CODENAME" '$1 == "Packages" && $3 == r && !n++ {print $2}')
  mkdir -p "$folder/lists/partial"
  printf 'deb-src [signed-by=%s] %s %s main\n' \
    /usr/share/keyrings/debian-archive-keyring.gpg \
    "${mirror:-http://deb.debian.org/debian}" "$VERSION_CODENAME" \
    >"$folder/sources.list"
  options=(-qq -o "Dir::Etc::sourcelist=$folder/sources.list"
    -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$folder/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
    -o APT::Sandbox::User=root -o Acquire::Retries=3)
  (cd "$folder" && apt-get "${options[@]}" update &&
    apt-get "${options[@]}" source "faiss=$version")
}

install_arrow() {
  local prefix=$deps/arrow
  [ "$(cat "$prefix/.version" 2>/dev/null)" = "$arrow_version" ] && return 0
  say "Arrow $arrow_version: unpacking the pyarrow wheel into $prefix"
  local work
  work=$(mktemp -d "$deps/.arrow.XXXXXX")
  printf 'pyarrow==%s --hash=sha256:%s\n' "$arrow_version" "$arrow_sha256" \
    >"$work/requirements.txt"
  "$python" -m pip -q --disable-pip-version-check download --no-deps \
    --require-hashes --only-binary=:all: --python-version 3.11 \
    --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 \
    -d "$work" -r "$work/requirements.txt"
  "$python" -m zipfile -e "$work"/pyarrow-*.whl "$work/wheel"

  local stage=$work/stage name
  mkdir -p "$stage/lib/pkgconfig"
  cp -r "$work/wheel/pyarrow/include" "$stage/include"
  for name in arrow arrow_compute arrow_acero arrow_dataset parquet; do
    cp "$work/wheel/pyarrow/lib$name.so.$arrow_so" "$stage/lib/"
    chmod 755 "$stage/lib/lib$name.so.$arrow_so"
    ln -s "lib$name.so.$arrow_so" "$stage/lib/lib$name.so"
  done
  # The names that a distribution's Arrow package uses.
  cat >"$stage/lib/pkgconfig/arrow-dataset.pc" <<PC
prefix=$prefix
Name: Apache Arrow Dataset
Description: Arrow, Compute, Acero, Dataset and Parquet from the pyarrow wheel
Version: $arrow_version
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -larrow_dataset -larrow_acero -lparquet -larrow_compute -larrow
PC
  echo "$arrow_version" >"$stage/.version"
  rm -rf "$prefix"
  mv "$stage" "$prefix"
  rm -rf "$work"
}

build_faiss() {
  local prefix=$deps/faiss version work
  [ "${SEGUE_STOCK_FAISS:-0}" = 1 ] && return 0
  grep -qw avx2 /proc/cpuinfo || {
    say "FAISS: no AVX2 here, the stock package is used"
    return 0
  }
  version=$(dpkg-query -W -f '${source:Version}' libfaiss-dev)
  [ "$(cat "$prefix/.version" 2>/dev/null)" = "$version avx2" ] && return 0
  say "FAISS $version: building for AVX2 (about 100 s, once)"
  work=$(mktemp -d "$deps/.faiss.XXXXXX")
  fetch_faiss_source "$work" "$version" >"$work/log" 2>&1 ||
    die "cannot fetch FAISS's source package (see $work/log);
SEGUE_STOCK_FAISS=1 does without"
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 cmake -S "$work"/faiss-*/ \
    -B "$work/build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DFAISS_OPT_LEVEL=avx2 -DFAISS_ENABLE_GPU=OFF \
    -DFAISS_ENABLE_PYTHON=OFF -DFAISS_ENABLE_C_API=OFF -DBUILD_TESTING=OFF \
    -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
    -DBLA_VENDOR=OpenBLAS "${launcher[@]}" \
    -DCMAKE_INSTALL_PREFIX="$work/stage" >>"$work/log" 2>&1 &&
    CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 cmake --build "$work/build" \
      --target faiss_avx2 faiss -j "$(nproc)" >>"$work/log" 2>&1 &&
    cmake --install "$work/build" >>"$work/log" 2>&1 ||
    die "FAISS did not build; see $work/log"
  echo "$version avx2" >"$work/stage/.version"
  rm -rf "$prefix"
  mv "$work/stage" "$prefix"
  rm -rf "$work"
}

install_packages "${packages[@]}"
if [ "$runtime_only" -eq 0 ]; then
  mkdir -p "$deps"
  install_arrow
  build_faiss
fi
say "everything is there"
