// The floor, ratio 1.0: CONNECT, TLS on both sides, find the end of the head, splice in one header, count the body.
// NOT safe HTTP (no chunked bodies, no validation): the least that the TLS sockets of Node cost, and nothing to run for real.
import net from 'node:net';
import tls from 'node:tls';
import fs from 'node:fs';
const D = process.env.BENCH_CERTS ?? 'certs';
const read = (n) => fs.readFileSync(`${D}/${n}`);
const ca = read('ca.pem');
const secureContext = tls.createSecureContext({ key: read('leaf.key'), cert: read('leaf.pem'), sessionIdContext: 'bench' });
const AUTH = process.env.BENCH_AUTHORIZATION ?? 'Bearer x';
const CRLF2 = Buffer.from('\r\n\r\n');
const AUTHRE = /\r\nauthorization:[^\r]*/i,
  CLRE = /\r\ncontent-length: *(\d+)/i;
const INJ = '\r\nAuthorization: ' + AUTH;
const upCtx = tls.createSecureContext({ ca });
const pools = new Map();
class Up {
  constructor(host, port, pool) {
    this.pool = pool;
    this.left = 0;
    this.client = null;
    this.inHead = true;
    this.acc = null;
    this.dead = false;
    const s = (this.s = tls.connect({ host, port, servername: host, secureContext: upCtx }));
    s.setNoDelay(true);
    s.on('data', (d) => this.data(d));
    const die = () => {
      if (this.dead) return;
      this.dead = true;
      const i = pool.indexOf(this);
      if (i >= 0) pool.splice(i, 1);
      if (this.client) this.client.s.destroy();
    };
    s.on('error', die);
    s.on('close', die);
    this.drain = () => this.s.resume();
  }
  data(d) {
    const c = this.client;
    if (!c) {
      this.s.destroy();
      return;
    }
    if (this.inHead) {
      if (this.acc) {
        d = Buffer.concat([this.acc, d]);
        this.acc = null;
      }
      const e = d.indexOf(CRLF2);
      if (e < 0) {
        this.acc = d;
        return;
      }
      const m = CLRE.exec(d.latin1Slice(0, e));
      this.left = (m ? +m[1] : 0) - (d.length - e - 4);
      this.inHead = false;
    } else this.left -= d.length;
    if (this.left <= 0) {
      this.client = null;
      this.inHead = true;
      this.pool.push(this);
      c.s.write(d);
      c.done();
    } else if (!c.s.write(d)) {
      this.s.pause();
      c.s.once('drain', this.drain);
    }
  }
}
class Cl {
  constructor(s, host, port) {
    this.s = s;
    this.host = host;
    this.port = port;
    this.acc = null;
    this.left = 0;
    this.up = null;
    this.busy = false;
    const k = host + ':' + port;
    let p = pools.get(k);
    if (!p) pools.set(k, (p = []));
    this.pool = p;
    s.on('data', (d) => this.data(d));
    s.on('close', () => {
      if (this.up) {
        this.up.client = null;
        this.up.s.destroy();
      }
    });
    this.drain = () => this.s.resume();
  }
  data(d) {
    if (this.left > 0) {
      this.left -= d.length;
      if (!this.up.s.write(d)) {
        this.s.pause();
        this.up.s.once('drain', this.drain);
      }
      return;
    }
    if (this.busy) {
      this.acc = this.acc ? Buffer.concat([this.acc, d]) : d;
      return;
    }
    if (this.acc) {
      d = Buffer.concat([this.acc, d]);
      this.acc = null;
    }
    const e = d.indexOf(CRLF2);
    if (e < 0) {
      this.acc = d;
      return;
    }
    let h = d.latin1Slice(0, e);
    const m = CLRE.exec(h);
    h = AUTHRE.test(h) ? h.replace(AUTHRE, INJ) : h + INJ;
    this.busy = true;
    const up = (this.up = this.pool.pop() || new Up(this.host, this.port, this.pool));
    up.client = this;
    if (m) {
      this.left = +m[1] - (d.length - e - 4);
      up.s.cork();
      up.s.write(h + '\r\n\r\n', 'latin1');
      if (d.length > e + 4) up.s.write(d.subarray(e + 4));
      up.s.uncork();
    } else up.s.write(h + '\r\n\r\n', 'latin1');
  }
  done() {
    this.busy = false;
    this.up = null;
    if (this.acc) {
      const d = this.acc;
      this.acc = null;
      this.data(d);
    }
  }
}
net
  .createServer({ noDelay: true }, (sock) => {
    sock.on('error', () => {});
    sock.once('data', (d) => {
      const l = d.latin1Slice();
      const a = l.split(' ')[1];
      if (!l.startsWith('CONNECT ')) {
        sock.destroy();
        return;
      }
      const i = a.lastIndexOf(':');
      sock.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      const t = new tls.TLSSocket(sock, { isServer: true, secureContext });
      t.on('error', () => sock.destroy());
      t.on('secure', () => new Cl(t, a.slice(0, i), +a.slice(i + 1)));
    });
  })
  .listen(+process.argv[2], '127.0.0.1', () => console.log('listening'));
