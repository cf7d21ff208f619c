// SPDX-License-Identifier: Apache-2.0
// fetch URL through the proxy PROXY. Node 24 and later do it by themselves
// (NODE_USE_ENV_PROXY); before, the tunnel is made by hand and TLS put on it.
import http from "node:http";
import https from "node:https";
import tls from "node:tls";

const [, , url] = process.argv;
const proxy = new URL(process.env.HTTPS_PROXY);

function tunnel(target) {
	const where = `${target.hostname}:${target.port || 443}`;
	return new Promise((resolve, reject) => {
		const ask = http.request({
			host: proxy.hostname,
			port: proxy.port,
			method: "CONNECT",
			path: where,
			headers: { Host: where }, // by itself Node would name the proxy
		});
		ask.on("connect", (answer, socket) => {
			if (answer.statusCode === 200) resolve(socket);
			else reject(new Error(`CONNECT: ${answer.statusCode}`));
		});
		ask.on("error", reject);
		ask.end();
	});
}

async function byHand(target) {
	const socket = await tunnel(target);
	const secure = tls.connect({ socket, servername: target.hostname });
	return new Promise((resolve, reject) => {
		secure.on("error", reject);
		https
			.get(target, { createConnection: () => secure }, (answer) => {
				let text = "";
				answer.setEncoding("utf8");
				answer.on("data", (piece) => (text += piece));
				answer.on("end", () => resolve([answer.statusCode, text]));
			})
			.on("error", reject);
	});
}

async function byFetch(target) {
	const answer = await fetch(target);
	return [answer.status, await answer.text()];
}

const major = Number(process.versions.node.split(".")[0]);
const [status, text] = await (major >= 24 ? byFetch : byHand)(new URL(url));
process.stdout.write(text);
process.exit(status === 200 ? 0 : 22);
