# SPDX-License-Identifier: Apache-2.0
"""Both ends of gRPC, without generated code: messages are bytes.

grpc_peer.py serve PORT [CERT KEY]
grpc_peer.py play TARGET ROOT NAME    prints what was seen as JSON; the proxy is https_proxy's
"""

import json
import sys
import time
from concurrent import futures
from pathlib import Path

import grpc


def count(requests, _):
    return str(sum(len(r) for r in requests)).encode()


def say_often(request, _):
    for number in range(5):
        yield request + b" %d" % number


def echo(requests, context):
    context.send_initial_metadata((("seen-first", "yes"),))
    for request in requests:
        yield b"echo " + request
    context.set_trailing_metadata((("seen-last", "yes"),))


def sleep(_, context):
    end = time.monotonic() + 20
    while context.is_active() and time.monotonic() < end:
        time.sleep(0.02)
    return b""


def refuse(_, context):
    context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")


METHODS = {
    "Say": grpc.unary_unary_rpc_method_handler(lambda request, _: request[::-1]),
    "Sleep": grpc.unary_unary_rpc_method_handler(sleep),
    "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
    "Often": grpc.unary_stream_rpc_method_handler(say_often),
    "Count": grpc.stream_unary_rpc_method_handler(count),
    "Echo": grpc.stream_stream_rpc_method_handler(echo),
}


def serve(port, *pair):
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("lab.Peer", METHODS),))
    address = f"127.0.0.1:{port}"
    if pair:
        cert, key = (Path(p).read_bytes() for p in pair)
        server.add_secure_port(address, grpc.ssl_server_credentials([(key, cert)]))
    else:
        server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


def code_of(call):
    try:
        call()
    except grpc.RpcError as e:
        return [e.code().name, e.details()]
    return ["OK", ""]


def talk(channel):
    """Each word is answered before the next is said."""
    said = []

    def words():
        for number in range(3):
            while len(said) < number:
                time.sleep(0.002)
            yield b"word %d" % number

    call = channel.stream_stream("/lab.Peer/Echo")(words(), timeout=20)
    for answer in call:
        said.append(answer.decode())
    last = dict(call.trailing_metadata())
    return {"said": said, "first": dict(call.initial_metadata()).get("seen-first"), "last": last.get("seen-last")}


def play(target, root, name):
    credentials = grpc.ssl_channel_credentials(Path(root).read_bytes())
    options = [("grpc.ssl_target_name_override", name), ("grpc.default_authority", name)]
    with grpc.secure_channel(target, credentials, options) as channel:
        print(json.dumps({
            "unary": channel.unary_unary("/lab.Peer/Say")(b"abc", timeout=20).decode(),
            "often": [b.decode() for b in channel.unary_stream("/lab.Peer/Often")(b"n", timeout=20)],
            "count": channel.stream_unary("/lab.Peer/Count")(iter([bytes(100000)] * 20), timeout=20).decode(),
            "talk": talk(channel),
            "large": len(channel.unary_unary("/lab.Peer/Say")(bytes(3000000), timeout=20)),
            "late": code_of(lambda: channel.unary_unary("/lab.Peer/Sleep")(b"", timeout=0.3))[0],
            "refused": code_of(lambda: channel.unary_unary("/lab.Peer/Refuse")(b"", timeout=20)),
            "unknown": code_of(lambda: channel.unary_unary("/lab.Peer/None")(b"", timeout=20))[0],
        }))


{"serve": serve, "play": play}[sys.argv[1]](*sys.argv[2:])
