# SPDX-License-Identifier: Apache-2.0
"""peers: the proxies we are measured against, each with the configuration it is given.

All get one worker or thread where they can be told, verify the origin, keep no cache of
contents, and forge P-256 leafs under the same kind of CA where they can. A peer that is not
installed is left out of the table, visibly.
"""

import os
import shutil
import signal
import socket
from pathlib import Path

import lab

NOBODY = "nobody"


class Peer:
    """name; connect: what the client says in CONNECT ("name", an address, or None: TLS at once)."""

    name = ""
    program = ""
    connect = None
    log_lines = False

    def __init__(self, world):
        self.world = world
        self.port = lab.free_port()
        self.folder = world.folder / self.name.replace(" ", "-")
        self.folder.mkdir()
        os.chmod(self.folder, 0o777)
        self.process = None

    @classmethod
    def installed(cls):
        return shutil.which(cls.program) is not None

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def launch(self, *command, **env):
        self.process = lab.Program(command, lambda: lab.accepts(self.port),
                                   self.folder / "out.log", env={**os.environ, **env},
                                   cwd=self.folder)

    def pids(self):
        return self.process.pids()

    def close(self):
        if self.process:
            self.process.close(signal.SIGTERM)


HAPROXY = """\
global
	nbthread 1
	maxconn 8000
	log {log} format raw local0
defaults
	mode http
	log global
	option httplog
	timeout connect 10s
	timeout client 300s
	timeout server 300s
frontend front
	bind 127.0.0.1:{port} ssl crt {default} ca-sign-file {ca} generate-certificates
	default_backend back
backend back
	http-reuse {reuse}
	server origin 127.0.0.1:{origin} ssl verify required ca-file {root} sni ssl_fc_sni {more}
"""


class Haproxy(Peer):
    name = "haproxy"
    program = "haproxy"
    reuse, more, key = "never", "no-ssl-reuse", "any_pem"

    def start(self):
        w = self.world
        config = self.write("haproxy.cfg", HAPROXY.format(
            port=self.port, default=getattr(w, self.key), ca=w.ca_both, origin=w.origin_port, root=w.root,
            reuse=self.reuse, more=self.more, log=w.syslog))
        self.launch("haproxy", "-W", "-db", "-f", config)


class HaproxyRsa(Haproxy):
    """It forges with the key of its default certificate; most installations use RSA."""

    name = "haproxy rsa"
    key = "rsa_pem"


class HaproxyPool(Haproxy):
    name = "haproxy pool"
    reuse, more = "always", "pool-max-conn 512"


SQUID = """\
http_port 127.0.0.1:{port} ssl-bump tls-cert={ca} tls-key={key} generate-host-certificates=on dynamic_cert_mem_cache_size=32MB
sslcrtd_program /usr/lib/squid/security_file_certgen -s {folder}/certs -M 64MB
sslcrtd_children 4 startup=1 idle=1
tls_outgoing_options cafile={root}
acl step1 at_step SslBump1
acl private ssl::server_name .private.example
ssl_bump peek step1
ssl_bump splice private
ssl_bump bump all
http_access allow all
hosts_file {hosts}
access_log stdio:{folder}/access.log
cache_log {folder}/cache.log
cache_store_log none
cache deny all
pid_filename {folder}/squid.pid
coredump_dir {folder}
cache_effective_user {user}
client_persistent_connections on
server_persistent_connections off
shutdown_lifetime 0 seconds
max_filedescriptors 16384
"""


class Squid(Peer):
    name = "squid"
    program = "squid"
    connect = "name"

    def start(self):
        w = self.world
        lab.run("/usr/lib/squid/security_file_certgen", "-c", "-s", self.folder / "certs", "-M", "64MB")
        for path in [self.folder, *self.folder.rglob("*")]:
            shutil.chown(path, NOBODY)
        config = self.write("squid.conf", SQUID.format(
            port=self.port, ca=w.ca, key=w.ca_key, folder=self.folder, root=w.root,
            hosts=w.hosts, user=NOBODY))
        self.launch("squid", "-N", "-f", config)


class Sslsplit(Peer):
    name = "sslsplit"
    program = "sslsplit"

    def start(self):
        w = self.world
        self.launch("sslsplit", "-k", w.ca_key, "-c", w.ca, "-o", "VerifyPeer=yes", "-u", "root",
                    "-l", self.folder / "connections.log",
                    "https", "127.0.0.1", self.port, "127.0.0.1", w.origin_port,
                    SSL_CERT_FILE=str(w.root))


class Mitmproxy(Peer):
    name = "mitmproxy"
    program = "mitmdump"
    connect = "127.0.0.1"

    def start(self):
        w = self.world
        (self.folder / "mitmproxy-ca.pem").write_bytes(w.ca_both.read_bytes())
        self.launch("mitmdump", "-q", "--listen-host", "127.0.0.1", "-p", self.port,
                    "--set", f"confdir={self.folder}",
                    "--set", f"ssl_verify_upstream_trusted_ca={w.root}",
                    "--set", "http2=false")


NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events {{ worker_connections 8192; }}
stream {{
	log_format line "$remote_addr $ssl_preread_server_name $bytes_sent";
	access_log {folder}/access.log line buffer=32k;
	ssl_preread on;
	server {{ listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{origin}; }}
}}
"""


class NginxPreread(Peer):
    name = "nginx preread"
    program = "nginx"

    @classmethod
    def installed(cls):
        return super().installed() and Path("/usr/lib/nginx/modules/ngx_stream_module.so").exists()

    def start(self):
        config = self.write("nginx.conf", NGINX.format(
            folder=self.folder, port=self.port, origin=self.world.origin_port))
        self.launch("nginx", "-p", self.folder, "-c", config, "-e", self.folder / "error.log")


class Trafficserver(Peer):
    """Its certifier plugin forges by SNI; a remap rule sends all to the one origin."""

    name = "trafficserver"
    program = "traffic_server"

    def start(self):
        w = self.world
        conf = self.folder / "conf"
        for name in ("conf", "log", "run", "cache", "store"):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o777)
        (self.folder / "conf" / "body_factory").symlink_to("/etc/trafficserver/body_factory")
        for name in ("ip_allow.yaml", "storage.config", "logging.yaml", "sni.yaml", "cache.config"):
            source = Path("/etc/trafficserver") / name
            (conf / name).write_text(source.read_text() if source.exists() and name == "ip_allow.yaml" else "")
        (conf / "storage.config").write_text(f"{self.folder}/cache 16M\n")
        (self.folder / "serial").write_text("1000\n")
        (self.folder / "serial").chmod(0o666)
        self.write("conf/plugin.config", f"certifier.so --store={self.folder}/store --max=2000 "
                   f"--sign-cert={w.ca} --sign-key={w.ca_key} --sign-serial={self.folder}/serial\n")
        self.write("conf/remap.config", "".join(
            f"map https://{name}:{w.origin_port}/ https://{name}:{w.origin_port}/\n"
            for name in w.few_names))
        self.write("conf/ssl_multicert.config", f"dest_ip=* ssl_cert_name={w.any_pem}\n")
        self.write("conf/records.config", "\n".join([
            f"CONFIG proxy.config.http.server_ports STRING {self.port}:ssl",
            "CONFIG proxy.config.exec_thread.autoconfig INT 0",
            "CONFIG proxy.config.exec_thread.limit INT 1",
            "CONFIG proxy.config.http.cache.http INT 0",
            "CONFIG proxy.config.url_remap.pristine_host_hdr INT 1",
            "CONFIG proxy.config.ssl.client.verify.server.policy STRING ENFORCED",
            "CONFIG proxy.config.ssl.client.verify.server.properties STRING ALL",
            f"CONFIG proxy.config.ssl.client.CA.cert.path STRING {w.root.parent}",
            f"CONFIG proxy.config.ssl.client.CA.cert.filename STRING {w.root.name}",
            "CONFIG proxy.config.http.server_session_sharing.match STRING hostsni",
            f"CONFIG proxy.config.hostdb.host_file.path STRING {w.hosts}",
            f"CONFIG proxy.config.admin.user_id STRING {NOBODY}",
            "CONFIG proxy.config.log.logging_enabled INT 0",
            "CONFIG proxy.config.diags.output.error STRING L", ""]))
        for path in [self.folder, *self.folder.rglob("*")]:
            if not path.is_symlink():
                shutil.chown(path, NOBODY)
        runroot = self.write("runroot.yaml", "\n".join([
            f"prefix: {self.folder}", "exec_prefix: /usr", "bindir: /usr/bin", "sbindir: /usr/sbin",
            f"sysconfdir: {conf}", "datadir: /usr/share/trafficserver",
            "libexecdir: /usr/lib/trafficserver/modules", "libdir: /usr/lib/trafficserver",
            f"localstatedir: {self.folder}/run", f"runtimedir: {self.folder}/run",
            f"logdir: {self.folder}/log", f"cachedir: {self.folder}/cache", ""]))
        self.launch("traffic_server", f"--run-root={runroot}", TS_RUNROOT=str(runroot))


class Sekisho(Peer):
    """As people run it: rules on, events on; without a pool where the peer has none."""

    name = "sekisho"
    connect = "name"
    upstream = "reuse off"

    @classmethod
    def installed(cls):
        return True

    def start(self):
        w = self.world
        rules = "\n".join([
            '\trule private when any(http.request.domains[*] in {"private.example"}) do bypass',
            '\trule harmful when http.request.host == "www.harmful.example" do block "harmful"',
            '\trule uploads when http.request.method == "POST" and '
            'http.request.host == "paste.example" do block "no uploads"'])
        self.gateway = lab.Gateway(w.program, self.folder / "g", w.names, w.root, rules,
                                   upstream=self.upstream)
        self.port = self.gateway.port
        self.process = self.gateway.process

    @property
    def ca(self):
        return self.gateway.root


class SekishoPool(Sekisho):
    name = "sekisho pool"
    upstream = "reuse on"


def syslog_sink(folder):
    """A datagram socket where log lines go; nobody reads them, as fast as possible."""
    path = folder / "syslog.sock"
    sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sink.bind(str(path))
    os.chmod(path, 0o777)
    return path, sink
