// SPDX-License-Identifier: Apache-2.0
// An origin that speaks HTTP/2 only: h2_origin.mjs PORT [CERT KEY]; without them no TLS.
// ADDRESS: where it listens; CONNECT=no: it takes no extended CONNECT; STREAMS: how many it
// takes at once on a connection.
import fs from "node:fs";
import http2 from "node:http2";

const [, , port, cert, key] = process.argv;
const options = {
	settings: {
		enableConnectProtocol: process.env.CONNECT !== "no",
		maxConcurrentStreams: Number(process.env.STREAMS || 1000),
	},
	maxSessionMemory: 200, // its buffers are not what is tested
};
const server = cert
	? http2.createSecureServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key), ...options })
	: http2.createServer(options);

const routes = {
	bytes(stream, argument) {
		stream.respond({ ":status": 200 });
		stream.end(Buffer.alloc(Number(argument), "x"));
	},
	// More than a buffer may hold.
	stream(stream, argument) {
		const piece = Buffer.alloc(1 << 20);
		let left = Number(argument);
		stream.respond({ ":status": 200, "content-length": left });
		const write = () => {
			while (left > 0) {
				const now = left < piece.length ? piece.subarray(0, left) : piece;
				left -= now.length;
				if (!stream.write(now)) return stream.once("drain", write);
			}
			stream.end();
		};
		write();
	},
	trailers(stream) {
		stream.respond({ ":status": 200 }, { waitForTrailers: true });
		stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "7" }));
		stream.end("body");
	},
	alone(stream) {
		stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true });
	},
	events(stream) {
		stream.respond({ ":status": 200, "content-type": "text/event-stream" });
		let n = 0;
		const timer = setInterval(() => {
			stream.write(`data: ${Date.now()}\n\n`);
			if (++n === 5) {
				clearInterval(timer);
				stream.end();
			}
		}, 50);
	},
	echo(stream) {
		stream.respond({ ":status": 200 });
		stream.pipe(stream);
	},
	count(stream) {
		let n = 0;
		stream.on("data", (piece) => (n += piece.length));
		stream.on("end", () => {
			stream.respond({ ":status": 200 });
			stream.end(String(n));
		});
	},
	early(stream) {
		stream.respond({ ":status": 413 });
		stream.end("too much");
	},
	hints(stream) {
		stream.additionalHeaders({ ":status": 103, link: "</a>; rel=preload" });
		stream.respond({ ":status": 200 });
		stream.end("hinted");
	},
	never() {},
	reset(stream, argument) {
		stream.close(Number(argument));
	},
	goaway(stream) {
		stream.respond({ ":status": 200 });
		stream.end("bye");
		stream.session.goaway(0);
	},
	page(stream) {
		stream.respond({ ":status": 200, "content-type": "text/html" });
		stream.end(page);
	},
	report(stream) {
		let text = "";
		stream.on("data", (piece) => (text += piece));
		stream.on("end", () => {
			console.log(`REPORT ${text}`);
			stream.respond({ ":status": 204 }, { endStream: true });
		});
	},
	// A server's side of RFC 6455, as far as a browser needs it to hear one word.
	greet(stream) {
		stream.respond({ ":status": 200 });
		stream.write(Buffer.from("\x81\x05hello", "latin1"));
	},
	sessions(stream) {
		stream.respond({ ":status": 200 });
		stream.end(String(sessions));
	},
	cancelled(stream) {
		stream.respond({ ":status": 200 });
		stream.end(String(cancelled));
	},
	// Soon stale the first time, and another thing later.
	stale(stream, argument, headers) {
		const n = (asked[argument] = (asked[argument] ?? 0) + 1);
		stream.respond(n === 1
			? { ":status": 200, "cache-control": "max-age=1, stale-while-revalidate=3600", age: "5", etag: '"a"' }
			: { ":status": 200, "cache-control": "max-age=3600", etag: '"b"', "x-asked": headers["if-none-match"] ?? "" });
		stream.end(n === 1 ? "old" : "new");
	},
	// Confirms what nobody asked about.
	strange(stream, argument, headers) {
		const n = (asked[argument] = (asked[argument] ?? 0) + 1);
		if (headers["if-none-match"]) return stream.respond({ ":status": 304, etag: '"b"' }, { endStream: true });
		stream.respond({ ":status": 200, "cache-control": n === 1 ? "max-age=1" : "max-age=60", age: n === 1 ? "5" : "0",
			etag: '"a"' });
		stream.end(String(n));
	},
	health(stream) {
		stream.respond({ ":status": well ? 200 : 500 });
		stream.end(well ? "well" : "not well");
	},
	sick(stream, argument) {
		well = argument === "0";
		stream.respond({ ":status": 200 });
		stream.end();
	},
	fields(stream, argument, headers) {
		stream.respond({ ":status": 200 });
		stream.end(JSON.stringify(headers));
	},
};

// Loads a hundred things, hears events and a WebSocket, and tells what it saw.
const page = `<!doctype html><title>t</title><script type=module>
const things = await Promise.all(Array.from({length: 100}, async (_, i) => (await fetch("/bytes/" + (i + 1))).text()));
const events = await new Promise((done) => {
	let n = 0;
	const source = new EventSource("/events");
	source.onmessage = () => { if (++n === 3) { source.close(); done(n); } };
	source.onerror = () => done("failed");
});
const socket = await new Promise((done) => {
	const ws = new WebSocket("wss://" + location.host + "/greet");
	ws.onmessage = (m) => done(m.data);
	ws.onerror = () => done("failed");
});
const hops = performance.getEntriesByType("resource").map((e) => e.nextHopProtocol);
await fetch("/report", {method: "POST", body: JSON.stringify({
	whole: things.filter((t, i) => t.length === i + 1).length, events, socket,
	hops: [...new Set(hops)], page: performance.getEntriesByType("navigation")[0].nextHopProtocol})});
</script>`;

const asked = {};
let well = true;
let cancelled = 0;
let sessions = 0;
server.on("session", () => sessions++);
server.on("stream", (stream, headers) => {
	stream.on("close", () => (cancelled += stream.rstCode === 8));
	const [, name, argument] = headers[":path"].split("?")[0].split("/");
	stream.on("error", () => {});
	if (routes[name]) return routes[name](stream, argument, headers);
	stream.respond({ ":status": 404 });
	stream.end();
});
server.on("sessionError", () => {});
server.listen(Number(port), process.env.ADDRESS || "127.0.0.1");
