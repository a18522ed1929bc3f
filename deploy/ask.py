#!/usr/bin/python3
"""Asks a running segue-server for the next items of a few users.

  deploy/ask.py --address 127.0.0.1:50051 --requests runs/x/sample_requests.json
  deploy/ask.py --address 127.0.0.1:50051 --history 17 4711 23
  deploy/ask.py --history 17 4711 --times 1769900000 1769903600
  deploy/ask.py --history 17 --filter 'one_of { attribute: "genres" values: "Comedy" }'
  deploy/ask.py --history 17 --cap artist=1 --mmr 0.3 --target-overlap 0.99

Needs Debian's python3-grpcio and protobuf-compiler (deploy/install_deps.sh).
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import grpc
from google.protobuf import json_format, text_format

PROTO_ROOT = pathlib.Path(__file__).resolve().parent.parent / "proto"
PROTO = "segue/v1/retrieval.proto"
SERVICE = "/segue.v1.RetrievalService/"
# Rows of a history that are shown; all of it is sent.
SHOWN_HISTORY = 10


def load_messages():
    """The message classes, generated from the .proto of this checkout."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["protoc", "-I", PROTO_ROOT, f"--python_out={folder}", PROTO],
            check=True,
        )
        sys.path.insert(0, folder)
        sys.dont_write_bytecode = True
        from segue.v1 import retrieval_pb2

        return retrieval_pb2


class Client:
    """One connection; answers and the round trip's milliseconds."""

    def __init__(self, address, messages, credentials):
        self._messages = messages
        self._channel = (
            grpc.secure_channel(address, credentials)
            if credentials
            else grpc.insecure_channel(address)
        )
        grpc.channel_ready_future(self._channel).result(timeout=10)

    def call(self, method, request):
        stub = self._channel.unary_unary(
            SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=getattr(
                self._messages, method + "Response"
            ).FromString,
        )
        begin = time.perf_counter()
        response = stub(request, timeout=10)
        return response, (time.perf_counter() - begin) * 1e3

    def describe(self, ids):
        request = self._messages.DescribeItemsRequest(item_ids=ids)
        return self.call("DescribeItems", request)[0].items


def column_order(name):
    """Titles first, then who made it, then the rest by name."""
    first = ["title", "artist"]
    return (first.index(name) if name in first else len(first), name)


def print_table(lead, items):
    """`lead` is a list of (heading, cells) that stand before the items."""
    names = sorted({n for item in items for n in item.columns}, key=column_order)
    columns = lead + [("item", [item.item_id for item in items])]
    for name in names:
        columns.append((name, [item.columns.get(name, "") for item in items]))
    cut = [[heading] + [shorten(c) for c in cells] for heading, cells in columns]
    widths = [max(map(len, column)) for column in cut]
    for row in zip(*cut):
        line = "  ".join(cell.ljust(w) for cell, w in zip(row, widths))
        print("    " + line.rstrip())


def shorten(text, width=36):
    return text if len(text) <= width else text[: width - 3] + "..."


def ask(client, messages, request, args):
    request.top_k = args.top_k
    if args.filter:
        text_format.Parse(args.filter, request.filter)
    request.target_overlap = args.target_overlap
    request.bundle_version = args.bundle_version
    request.diversity.mmr = args.mmr
    for cap in args.cap:
        attribute, _, at_most = cap.rpartition("=")
        request.diversity.caps.add(attribute=attribute, at_most=int(at_most))
    shown = list(request.history)[-SHOWN_HISTORY:]
    print(f"\nuser {request.user_id or '(anonymous)'}")
    if shown:
        print(f"  heard last, of {len(request.history)}, newest at the end")
        print_table([], client.describe(shown))
    else:
        print("  no history")
    response, milliseconds = client.call("Retrieve", request)
    found_by = messages.FoundBy.Name(response.found_by).lower()
    print(
        f"  next, {milliseconds:.1f} ms, found by {found_by} among"
        f" {response.allowed_items} items, bundle {response.bundle_version}"
    )
    ranks = [str(rank + 1) for rank in range(len(response.item_ids))]
    scores = [f"{score:.3f}" for score in response.scores]
    print_table(
        [("#", ranks), ("score", scores)], client.describe(response.item_ids)
    )
    if response.unknown_history:
        print(f"  {response.unknown_history} ids of the history are unknown")


def read_requests(args, messages):
    if args.history is not None:
        return [
            messages.RetrieveRequest(
                user_id=args.user,
                history=args.history,
                history_times=args.times,
                request_time=args.now,
                exclude_history=True,
            )
        ]
    with open(args.requests, encoding="utf-8") as file:
        samples = json.load(file)[: args.users]
    if not samples:
        raise ValueError(f"{args.requests} holds no request")
    return [json_format.ParseDict(s, messages.RetrieveRequest()) for s in samples]


def read_credentials(args):
    """None: plain text."""
    if bool(args.cert) != bool(args.key):
        raise ValueError("--cert needs --key, and --key --cert")
    if not (args.ca or args.cert):
        return None

    def read(path):
        return pathlib.Path(path).read_bytes() if path else None

    return grpc.ssl_channel_credentials(
        root_certificates=read(args.ca),
        private_key=read(args.key),
        certificate_chain=read(args.cert),
    )


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--address", default="127.0.0.1:50051", help="host:port")
    parser.add_argument("--ca", help="PEM: who signed the server's certificate")
    parser.add_argument("--cert", help="PEM: this client's, where it wants one")
    parser.add_argument("--key", help="PEM: of --cert")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--requests", help="JSON array of segue.v1.RetrieveRequest"
    )
    source.add_argument(
        "--history", nargs="*", metavar="ID", help="item ids, oldest first"
    )
    parser.add_argument("--user", default="", help="user id, with --history")
    parser.add_argument(
        "--times",
        nargs="*",
        type=int,
        default=[],
        metavar="SECONDS",
        help="when the items of --history were met, for bundles that take times",
    )
    parser.add_argument(
        "--now",
        type=int,
        default=0,
        metavar="SECONDS",
        help="time of the request, with --times; default: the server's clock",
    )
    parser.add_argument(
        "--users", type=int, default=3, help="requests of the file to send"
    )
    parser.add_argument("--top-k", type=int, default=10)
    parser.add_argument(
        "--bundle-version",
        default="",
        help="that has to answer: the live one, or the one before, which is held",
    )
    parser.add_argument(
        "--filter",
        default="",
        metavar="TEXT",
        help="a segue.v1.Filter, as text, that answers have to pass",
    )
    parser.add_argument(
        "--target-overlap",
        type=float,
        default=0,
        metavar="SHARE",
        help="how much of the exact answer to find; default: the bundle's",
    )
    parser.add_argument(
        "--cap",
        action="append",
        default=[],
        metavar="ATTRIBUTE=N",
        help="at most N items with one value of the attribute; repeatable",
    )
    parser.add_argument(
        "--mmr",
        type=float,
        default=0,
        metavar="WEIGHT",
        help="of being unlike the items before it, below 1",
    )
    return parser.parse_args()


def main():
    args = parse_arguments()
    try:
        messages = load_messages()
        requests = read_requests(args, messages)
        client = Client(args.address, messages, read_credentials(args))
        for request in requests:
            ask(client, messages, request, args)
    except grpc.FutureTimeoutError:
        sys.exit(
            f"ask: no gRPC server answers at {args.address}"
            " (one with tls wants --ca, and may want --cert and --key)"
        )
    except grpc.RpcError as error:
        sys.exit(f"ask: {error.code().name}: {error.details()}")
    except (
        OSError,
        ValueError,
        json_format.ParseError,
        text_format.ParseError,
    ) as error:
        sys.exit(f"ask: {error}")
    except subprocess.CalledProcessError:
        sys.exit(f"ask: protoc cannot read {PROTO_ROOT / PROTO}")


if __name__ == "__main__":
    main()
