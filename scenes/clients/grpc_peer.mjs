// SPDX-License-Identifier: Apache-2.0
// Both ends of gRPC in Node, as grpc_peer.py: messages are bytes. MODULES is the directory of
// @grpc/grpc-js.
//   grpc_peer.mjs serve PORT [CERT KEY]
//   grpc_peer.mjs play TARGET ROOT NAME    prints what was seen as JSON; the proxy is https_proxy's
import fs from "node:fs";
import { createRequire } from "node:module";

const grpc = createRequire(`${process.env.MODULES}/`)("@grpc/grpc-js");
const bytes = (x) => x;
const method = (name, requestStream, responseStream) => ({
	path: `/lab.Peer/${name}`, requestStream, responseStream, requestSerialize: bytes,
	requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes,
});
const service = {
	Say: method("Say", false, false),
	Sleep: method("Sleep", false, false),
	Refuse: method("Refuse", false, false),
	Often: method("Often", false, true),
	Count: method("Count", true, false),
	Echo: method("Echo", true, true),
};

const handlers = {
	Say: (call, answer) => answer(null, Buffer.from(call.request).reverse()),
	Sleep: (call, answer) => call.on("cancelled", () => answer(null, Buffer.alloc(0))),
	Refuse: (call, answer) => answer({ code: grpc.status.PERMISSION_DENIED, details: "not you" }),
	Often(call) {
		for (let i = 0; i < 5; i++) call.write(Buffer.concat([call.request, Buffer.from(` ${i}`)]));
		call.end();
	},
	Count(call, answer) {
		let n = 0;
		call.on("data", (piece) => (n += piece.length));
		call.on("end", () => answer(null, Buffer.from(String(n))));
	},
	Echo(call) {
		const first = new grpc.Metadata();
		const last = new grpc.Metadata();
		first.set("seen-first", "yes");
		last.set("seen-last", "yes");
		call.sendMetadata(first);
		call.on("data", (piece) => call.write(Buffer.concat([Buffer.from("echo "), piece])));
		call.on("end", () => call.end(last));
	},
};

function serve(port, cert, key) {
	const server = new grpc.Server();
	server.addService(service, handlers);
	const pair = cert && [{ cert_chain: fs.readFileSync(cert), private_key: fs.readFileSync(key) }];
	const credentials = pair ? grpc.ServerCredentials.createSsl(null, pair, false)
		: grpc.ServerCredentials.createInsecure();
	server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => {
		if (error) throw error;
		server.start?.();
	});
}

async function play(target, root, name) {
	const Client = grpc.makeClientConstructor(service, "Peer");
	const peer = new Client(target, grpc.credentials.createSsl(fs.readFileSync(root)),
		{ "grpc.ssl_target_name_override": name, "grpc.default_authority": name });
	const soon = (seconds = 20) => ({ deadline: Date.now() + seconds * 1000 });
	const unary = (what, message, seconds) => new Promise((resolve) =>
		peer[what](message, soon(seconds), (error, answer) => resolve({ error, answer })));
	const code = ({ error }) => grpc.status[error.code];

	const often = [];
	for await (const piece of peer.Often(Buffer.from("n"), soon())) often.push(String(piece));

	const count = await new Promise((resolve, reject) => {
		const call = peer.Count(soon(), (error, answer) => (error ? reject(error) : resolve(answer)));
		for (let i = 0; i < 20; i++) call.write(Buffer.alloc(100000));
		call.end();
	});

	const call = peer.Echo(soon());
	const talk = { said: [] };
	call.on("metadata", (m) => (talk.first = m.get("seen-first")[0]));
	call.on("status", (s) => (talk.last = s.metadata.get("seen-last")[0]));
	const over = new Promise((resolve, reject) => call.on("status", resolve).on("error", reject));
	for (let i = 0; i < 3; i++) { // each word is answered before the next is said
		call.write(Buffer.from(`word ${i}`));
		talk.said.push(String(await new Promise((resolve) => call.once("data", resolve))));
	}
	call.end();
	call.resume();
	await over;

	const refused = await unary("Refuse", Buffer.alloc(0));
	const None = grpc.makeClientConstructor({ None: method("None", false, false) }, "Peer");
	const stranger = new None(target, grpc.credentials.createSsl(fs.readFileSync(root)),
		{ "grpc.ssl_target_name_override": name, "grpc.default_authority": name });
	const unknown = await new Promise((resolve) =>
		stranger.None(Buffer.alloc(0), soon(), (error) => resolve({ error })));
	process.stdout.write(JSON.stringify({
		unary: String((await unary("Say", Buffer.from("abc"))).answer),
		often, count: String(count), talk,
		large: (await unary("Say", Buffer.alloc(3000000))).answer.length,
		late: code(await unary("Sleep", Buffer.alloc(0), 0.3)),
		refused: [code(refused), refused.error.details],
		unknown: code(unknown),
	}));
	process.exit(0);
}

const [, , act, ...words] = process.argv;
({ serve, play })[act](...words);
