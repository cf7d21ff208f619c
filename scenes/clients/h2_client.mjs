// SPDX-License-Identifier: Apache-2.0
// Plays one act over HTTP/2 through the proxy PROXY, or straight to the port DIRECT of this
// machine: h2_client.mjs ACT URL
// Prints what was seen as JSON.
import http from "node:http";
import http2 from "node:http2";
import tls from "node:tls";
import fs from "node:fs";
import net from "node:net";

const [, , act, url] = process.argv;
const target = new URL(url);
const proxy = process.env.PROXY && new URL(process.env.PROXY);

function tunnel() {
	if (process.env.DIRECT) return net.connect(Number(process.env.DIRECT), "127.0.0.1");
	return new Promise((resolve, reject) => {
		const ask = http.request({
			host: proxy.hostname,
			port: proxy.port,
			method: "CONNECT",
			path: target.host,
		});
		ask.on("connect", (answer, socket) => resolve(socket));
		ask.on("error", reject);
		ask.end();
	});
}

async function connect() {
	const socket = await tunnel();
	const secure = tls.connect({
		socket,
		servername: target.hostname,
		ca: fs.readFileSync(process.env.ROOT),
		ALPNProtocols: ["h2"],
	});
	await new Promise((resolve, reject) => {
		secure.on("secureConnect", resolve);
		secure.on("error", reject);
	});
	const session = http2.connect(url, { createConnection: () => secure });
	session.on("error", () => {});
	return session;
}

// until: the event behind which the answer is whole.
function ask(session, headers, body, until = "close") {
	const stream = session.request(
		{ ":authority": target.host, ...headers },
		{ endStream: body === undefined },
	);
	const seen = { body: "", informs: [] };
	stream.setEncoding("latin1");
	stream.on("headers", (h) => seen.informs.push(h[":status"]));
	stream.on("response", (h) => (seen.status = h[":status"]));
	stream.on("response", (h) => (seen.headers = h));
	stream.on("trailers", (h) => (seen.trailers = h));
	stream.on("data", (piece) => (seen.body += piece));
	stream.on("error", () => {});
	if (body !== undefined) stream.end(body);
	return new Promise((resolve) =>
		stream.on(until, () => resolve({ ...seen, code: stream.rstCode })),
	);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const acts = {
	async one(session) {
		return ask(session, { ":path": target.pathname + target.search });
	},
	async many(session) {
		const sizes = Array.from({ length: 100 }, (_, i) => i * 300);
		const all = await Promise.all(sizes.map((n) => ask(session, { ":path": `/bytes/${n}` })));
		return { whole: all.filter((seen, i) => seen.body.length === sizes[i]).length };
	},
	async mixed(session) {
		const paths = ["/bytes/10", "/blocked", "/bytes/20", "/blocked", "/bytes/30"];
		const all = await Promise.all(paths.map((p) => ask(session, { ":path": p })));
		const after = await ask(session, { ":path": "/bytes/40" });
		return { statuses: [...all, after].map((seen) => seen.status) };
	},
	async misdirected(session) {
		const other = process.env.OTHER || "www.other.example";
		const wrong = await ask(session, { ":path": "/bytes/1", ":authority": other });
		const right = await ask(session, { ":path": "/bytes/1" });
		return { statuses: [wrong.status, right.status] };
	},
	async upload(session) {
		return ask(session, { ":path": "/count", ":method": "POST" }, Buffer.alloc(5_000_000));
	},
	async early(session) {
		// Reset with NO_ERROR while it still writes, node may never say that a stream is closed.
		return ask(session, { ":path": "/early", ":method": "POST" }, Buffer.alloc(5_000_000), "end");
	},
	async events(session) {
		const stream = session.request({ ":authority": target.host, ":path": "/events" });
		const late = [];
		stream.on("data", (piece) =>
			late.push(...String(piece).trim().split("\n\n").map((e) => Date.now() - Number(e.slice(6)))));
		await new Promise((resolve) => stream.on("close", resolve));
		return { late };
	},
	async duplex(session) {
		const stream = session.request({
			":authority": target.host, ":path": "/echo", ":method": "POST", te: "trailers" });
		const said = [];
		stream.setEncoding("latin1");
		for (let i = 0; i < 5; i++) {
			stream.write(`ping ${i}`);
			said.push(await new Promise((resolve) => stream.once("data", resolve)));
		}
		stream.end();
		stream.resume();
		await new Promise((resolve) => stream.on("close", resolve));
		return { said, code: stream.rstCode };
	},
	async stalled(session) {
		const slow = session.request({ ":authority": target.host, ":path": "/bytes/10000000" });
		let n = 0;
		slow.on("data", (piece) => (n += piece.length));
		slow.pause();
		const fast = await ask(session, { ":path": "/bytes/3000000" });
		slow.resume();
		await new Promise((resolve) => slow.on("close", resolve));
		return { fast: fast.body.length, slow: n };
	},
	async websocket(session) {
		for (let i = 0; i < 50 && !session.remoteSettings.enableConnectProtocol; i++) await sleep(20);
		const stream = session.request({ ":authority": target.host, ":method": "CONNECT",
			":protocol": "websocket", ":scheme": "https", ":path": "/echo" });
		stream.setEncoding("latin1");
		const status = await new Promise((resolve) =>
			stream.on("response", (h) => resolve(h[":status"])));
		stream.write("\x81\x02hi", "latin1");
		const said = await new Promise((resolve) => stream.once("data", resolve));
		stream.end();
		stream.resume();
		await new Promise((resolve) => stream.on("close", resolve));
		return { status, said };
	},
	async goaway(session) {
		const told = new Promise((resolve) => session.on("goaway", (code) => resolve(code)));
		const seen = await ask(session, { ":path": "/goaway" });
		return { status: seen.status, body: seen.body, goaway: await told };
	},
	// As many as COUNT wait for ever; what becomes of one more?
	async crowd(session) {
		const before = await ask(session, { ":path": "/bytes/1" });
		for (let i = 0; i < Number(process.env.COUNT); i++)
			session.request({ ":authority": target.host, ":path": "/never" }).on("error", () => {});
		const last = await ask(session, { ":path": "/bytes/1" });
		return { statuses: [before.status, last.status] };
	},
	// What comes behind a goodbye of the origin.
	async after(session) {
		const first = await ask(session, { ":path": "/goaway" });
		const second = await ask(session, { ":path": "/bytes/5" });
		return { statuses: [first.status, second.status], closed: session.closed };
	},
	async leave(session) {
		for (let i = 0; i < 20; i++) {
			const stream = session.request({ ":authority": target.host, ":path": "/bytes/1000000" });
			stream.on("error", () => {});
			stream.on("response", () => stream.close(8));
			await new Promise((resolve) => stream.on("close", resolve));
		}
		return ask(session, { ":path": "/cancelled" });
	},
};

const session = await connect();
process.stdout.write(JSON.stringify(await acts[act](session)));
session.destroy();
process.exit(0);
