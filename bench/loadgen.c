// Load generator: [CONNECT ->] TLS -> HTTP/1.1 keep-alive requests. gcc -O2 -o loadgen loadgen.c -lssl -lcrypto
//  -x host:port  proxy (127.0.0.1 only); omit = direct    -t host:port target (SNI=host; direct connects to
//  127.0.0.1:port) -m method -u path -b bodybytes -H 'K: V' (repeat)       -c conns -d secs -w warmup-secs -s expected
//  status (200) -L expected body length -E expected substring in (first 1 KB of) body -n new CONNECT+TLS per request -r
//  resume TLS sessions   -R rate (open loop, latency from due time) -P pid,pid  CPU (utime+stime+cutime+cstime) and RSS
//  of these over the window   -D also every descendant -p plain HTTP (absolute-form when -x)  -k ignore 'Connection:
//  close' -A 'K: V' extra header in CONNECT  -v verify with CA file  -a send ALPN http/1.1  -2 TLS1.2  -N max requests
//  -g client ciphersuites(1.3)   -G file with UUIDs, one a line: each request names the next in X-Alter-Grant   -i N
//  open N connections, -c at a time, with one request each; print {"held":N} and hold them until SIGTERM or for -d
//  seconds
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/err.h>
enum { S_CONN, S_CREQ, S_HS, S_IDLE, S_REQ, S_HELD, S_DONE };
typedef struct {
  int fd;
  SSL *ssl;
  int st;
  int wantw;
  char hb[16384];
  int hl;
  size_t wo;
  int rst;
  long left, blen;
  int cst;
  long csz;
  int status;
  int close;
  double t0;
  char bb[1024];
  int bbl;
  long nreq;
  char *rq;
} C;
static int ep;
static SSL_CTX *ctx;
static int pport, tport, newc, resume, alpn;
static char thost[256];
static char *req;
static size_t reqlen;
#define UUID 36
static char *uuids;
static long nuuids, nextuuid;
static size_t uuidat;
static C **held;
static int nhold, nopened, nheld;
static volatile sig_atomic_t stopped;
static char creq[4096];
static int creqlen;
static int plain, ignclose;
#define RD(c, b, n) (plain ? (int)read((c)->fd, b, n) : SSL_read((c)->ssl, b, n))
#define WR(c, b, n) (plain ? (int)write((c)->fd, b, n) : SSL_write((c)->ssl, b, n))
#define GE(c, r)                                                                                                       \
  (plain ? ((r) < 0 && errno == EAGAIN ? SSL_ERROR_WANT_READ                                                           \
            : (r) == 0                 ? SSL_ERROR_ZERO_RETURN                                                         \
                                       : SSL_ERROR_SYSCALL)                                                                            \
         : SSL_get_error((c)->ssl, r))
static double tw0, tw1;
static long nok, nerr, e401, estat, elen, econ, nconn, nreused;
static unsigned *hist;
static double rate, nextdue;
static int expst = 200;
static long explen = -1;
static const char *expsub;
static long maxreq = -1, total;
static SSL_SESSION *sess;
static long bytes;
static double latsum;
#define HN 4000000
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}
static void die(const char *m) {
  perror(m);
  exit(2);
}
static void arm(C *c, int w) {
  if (c->wantw == w) return;
  c->wantw = w;
  struct epoll_event e = {.events = EPOLLIN | (w ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static int onsess(SSL *s, SSL_SESSION *x) {
  if (!resume) return 0;
  if (sess) SSL_SESSION_free(sess);
  sess = x;
  return 1;
}
static void start(C *c);
static void shut(C *c, int ok) {
  if (c->fd >= 0) {
    if (c->ssl) {
      if (ok) SSL_shutdown(c->ssl);
      SSL_free(c->ssl);
    }
    c->ssl = 0;
    struct linger lg = {1, 0};
    if (ok) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
    close(c->fd);
    c->fd = -1;
  }
}
static double first_err;
static char errmsg[256];
static void fail(C *c, const char *why) {
  nerr++;
  if (!errmsg[0])
    snprintf(errmsg, sizeof errmsg, "%s st=%d status=%d blen=%ld ssl=%s", why, c->st, c->status, c->blen,
             ERR_reason_error_string(ERR_peek_last_error()) ?: "");
  shut(c, 0);
  if (now() < tw1 && nerr < 100000) start(c);
  else c->st = S_DONE;
}
static void start(C *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, 4);
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(pport ? pport : tport), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  c->wantw = 1;
  c->hl = 0;
  c->wo = 0;
  c->st = S_CONN;
  if (newc || !c->t0) c->t0 = now();
  int r = connect(c->fd, (void *)&a, sizeof a);
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
  if (r < 0 && errno != EINPROGRESS) {
    econ++;
  }
}
static void begin_tls(C *c) {
  c->ssl = SSL_new(ctx);
  SSL_set_fd(c->ssl, c->fd);
  SSL_set_connect_state(c->ssl);
  SSL_set_tlsext_host_name(c->ssl, thost);
  SSL_set1_host(c->ssl, thost);
  if (alpn) SSL_set_alpn_protos(c->ssl, (unsigned char *)"\x08http/1.1", 9);
  if (resume && sess) SSL_set_session(c->ssl, sess);
  c->st = S_HS;
}
static C *idle[4096];
static int nidle;
static void send_req(C *c, double t0) {
  c->st = S_REQ;
  c->wo = 0;
  c->hl = 0;
  c->rst = 0;
  c->blen = 0;
  c->bbl = 0;
  c->close = 0;
  c->status = 0;
  c->t0 = t0;
  if (!nuuids) {
    c->rq = req;
    return;
  }
  if (!c->rq) c->rq = memcpy(malloc(reqlen), req, reqlen);
  memcpy(c->rq + uuidat, uuids + nextuuid * (UUID + 1), UUID);
  nextuuid = (nextuuid + 1) % nuuids;
}
static int pump(C *c);
static void go_idle(C *c) {
  c->st = S_IDLE;
  idle[nidle++] = c;
}
static void body_add(C *c, const char *p, long n) {
  c->blen += n;
  if (c->bbl < (int)sizeof c->bb) {
    int k = sizeof c->bb - c->bbl;
    if (k > n) k = n;
    memcpy(c->bb + c->bbl, p, k);
    c->bbl += k;
  }
}
static int chunk(C *c, const char *p, int n) {
  int i = 0;
  while (i < n)
    switch (c->cst) {
    case 0: {
      char ch = p[i++];
      if (ch == '\n') c->cst = c->csz ? 2 : 4;
      else if (ch == ';') c->cst = 1;
      else if (ch != '\r' && ch != ' ')
        c->csz = c->csz * 16 + (ch >= '0' && ch <= '9' ? ch - '0' : (ch | 32) - 'a' + 10);
      break;
    }
    case 1:
      if (p[i++] == '\n') c->cst = c->csz ? 2 : 4;
      break;
    case 2: {
      long k = n - i < c->csz ? n - i : c->csz;
      body_add(c, p + i, k);
      i += k;
      c->csz -= k;
      if (!c->csz) c->cst = 3;
      break;
    }
    case 3:
      if (p[i++] == '\n') {
        c->cst = 0;
        c->csz = 0;
      }
      break;
    case 4:
      if (p[i++] == '\n') return 1;
      break;
    }
  return 0;
}
static void done(C *c) {
  double t = now();
  total++;
  c->nreq++;
  if (c->status != expst) {
    if (c->status == 401) e401++;
    else estat++;
    if (!errmsg[0]) snprintf(errmsg, sizeof errmsg, "status %d body %.80s", c->status, c->bb);
  } else if (explen >= 0 && c->blen != explen) {
    elen++;
    if (!errmsg[0]) snprintf(errmsg, sizeof errmsg, "len %ld", c->blen);
  } else if (expsub && !memmem(c->bb, c->bbl, expsub, strlen(expsub))) {
    elen++;
    if (!errmsg[0]) snprintf(errmsg, sizeof errmsg, "body %.*s", c->bbl > 100 ? 100 : c->bbl, c->bb);
  } else if (t >= tw0 && t < tw1) {
    nok++;
    bytes += c->blen;
    double us = (t - c->t0) * 1e6;
    latsum += us;
    long b = (long)us;
    if (b >= HN) b = HN - 1;
    hist[b]++;
  }
  if (nhold) {
    c->st = S_HELD;
    nheld++;
    if (nopened < nhold) start(held[nopened++]);
    return;
  }
  if (newc) {
    shut(c, 1);
    if (t < tw1 && (maxreq < 0 || total < maxreq)) {
      if (rate > 0) {
        c->st = S_IDLE;
        idle[nidle++] = c;
      } else start(c);
    } else c->st = S_DONE;
    return;
  }
  if (t >= tw1 || (maxreq >= 0 && total >= maxreq)) {
    shut(c, 1);
    c->st = S_DONE;
    return;
  }
  if (c->close) {
    shut(c, 1);
    nreused++;
    c->t0 = 0;
    start(c);
    return;
  }
  if (rate > 0) go_idle(c);
  else send_req(c, t);
}
static int parse(C *c, const char *p, int n) { // response bytes. 1 = complete
  if (c->rst == 0) {
    if (c->hl + n > (int)sizeof c->hb - 1) {
      int k = sizeof c->hb - 1 - c->hl;
      (void)k;
      if (c->hl + n > (int)sizeof c->hb - 1 && !memmem(c->hb, c->hl, "\r\n\r\n", 4)) {
        n = n < (int)sizeof c->hb - 1 - c->hl ? n : (int)sizeof c->hb - 1 - c->hl;
      }
    }
    int old = c->hl;
    int k = n;
    memcpy(c->hb + c->hl, p, k);
    c->hl += k;
    c->hb[c->hl] = 0;
    char *e = memmem(c->hb, c->hl, "\r\n\r\n", 4);
    if (!e) return 0;
    int hdrl = e + 4 - c->hb;
    int usedn = hdrl - old;
    c->status = atoi(c->hb + 9);
    if (c->status == 100) {
      int rest = c->hl - hdrl;
      memmove(c->hb, c->hb + hdrl, rest);
      c->hl = 0;
      char tmp[16384];
      memcpy(tmp, c->hb, rest);
      return parse(c, tmp, rest);
    }
    long cl = -1;
    int ch = 0;
    char *h = strstr(c->hb, "\r\n") + 2;
    while (h < e) {
      char *le = strstr(h, "\r\n");
      if (!strncasecmp(h, "content-length:", 15)) cl = atol(h + 15);
      else if (!strncasecmp(h, "transfer-encoding:", 18)) ch = 1;
      else if (!strncasecmp(h, "connection:", 11)) {
        if (!ignclose && strncasecmp(h + 11 + strspn(h + 11, " "), "close", 5) == 0) c->close = 1;
      }
      h = le + 2;
    }
    p += usedn;
    n -= usedn;
    if (ch) {
      c->rst = 2;
      c->cst = 0;
      c->csz = 0;
    } else if (cl >= 0) {
      c->rst = 1;
      c->left = cl;
      if (!cl) return 1;
    } else {
      c->rst = 3;
      c->close = 1;
    }
  }
  if (c->rst == 1) {
    long k = n < c->left ? n : c->left;
    body_add(c, p, k);
    c->left -= k;
    return c->left == 0;
  }
  if (c->rst == 2) return chunk(c, p, n);
  body_add(c, p, n);
  return 0;
}
static int pump(C *c) {
  static char buf[65536];
  for (;;)
    switch (c->st) {
    case S_CONN: {
      int er = 0;
      socklen_t l = sizeof er;
      getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &er, &l);
      if (er) {
        econ++;
        return -1;
      }
      struct sockaddr_in a;
      l = sizeof a;
      if (getpeername(c->fd, (void *)&a, &l)) return 0;
      nconn++;
      if (plain) {
        arm(c, 0);
        if (newc) send_req(c, c->t0);
        else if (rate > 0) {
          go_idle(c);
          return 0;
        } else send_req(c, now());
        break;
      }
      if (pport) {
        if (write(c->fd, creq, creqlen) != creqlen) return -1;
        c->st = S_CREQ;
        arm(c, 0);
      } else begin_tls(c);
      break;
    }
    case S_CREQ: {
      int r = read(c->fd, c->hb + c->hl, sizeof c->hb - 1 - c->hl);
      if (r < 0 && errno == EAGAIN) return 0;
      if (r <= 0) return -1;
      c->hl += r;
      c->hb[c->hl] = 0;
      if (!strstr(c->hb, "\r\n\r\n")) return 0;
      if (strncmp(c->hb + 8, " 200", 4)) {
        if (!errmsg[0]) snprintf(errmsg, sizeof errmsg, "CONNECT: %.60s", c->hb);
        return -1;
      }
      begin_tls(c);
      break;
    }
    case S_HS: {
      int r = SSL_do_handshake(c->ssl);
      if (r == 1) {
        if (SSL_session_reused(c->ssl)) nreused++;
        arm(c, 0);
        if (newc) send_req(c, c->t0);
        else if (rate > 0 && now() >= tw0 - 1e9) {
          if (c->t0 && c->nreq == 0 && rate > 0) {
            go_idle(c);
            return 0;
          }
          go_idle(c);
          return 0;
        } else send_req(c, now());
        break;
      }
      int e = SSL_get_error(c->ssl, r);
      if (e == SSL_ERROR_WANT_READ) {
        arm(c, 0);
        return 0;
      }
      if (e == SSL_ERROR_WANT_WRITE) {
        arm(c, 1);
        return 0;
      }
      return -1;
    }
    case S_REQ: {
      int didw = 0;
      while (c->wo < reqlen) {
        size_t n = reqlen - c->wo;
        int r = WR(c, c->rq + c->wo, n > 65536 ? 65536 : n);
        if (r > 0) {
          c->wo += r;
          didw = 1;
          continue;
        }
        int e = GE(c, r);
        if (e == SSL_ERROR_WANT_WRITE || (plain && e == SSL_ERROR_WANT_READ)) {
          arm(c, 1);
          break;
        }
        if (e == SSL_ERROR_WANT_READ) break;
        return -1;
      }
      if (c->wo >= reqlen) arm(c, 0);
      if (didw && c->wo >= reqlen && reqlen < 16384) return 0;
      for (;;) {
        int cap = c->rst == 0 ? (int)sizeof c->hb - 1 - c->hl : (int)sizeof buf;
        if (cap <= 0) return -1;
        int r = RD(c, buf, cap);
        if (r <= 0) {
          int e = GE(c, r);
          if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return 0;
          if (c->rst == 3 && c->status) {
            done(c);
            return 0;
          }
          return -1;
        }
        if (parse(c, buf, r)) {
          int was = c->fd;
          C *x = c;
          done(x);
          if (x->fd == was && x->st == S_REQ) break;
          return 0;
        }
      }
      break;
    }
    case S_IDLE: {
      char b[16];
      int r = RD(c, b, 16);
      if (r <= 0 && GE(c, r) == SSL_ERROR_WANT_READ) return 0;
      for (int i = 0; i < nidle; i++)
        if (idle[i] == c) {
          idle[i] = idle[--nidle];
          break;
        }
      nreused++;
      shut(c, 0);
      c->t0 = 0;
      start(c);
      return 0;
    }
    case S_HELD: {
      char b[16];
      int r = RD(c, b, 16);
      if (r <= 0 && GE(c, r) == SSL_ERROR_WANT_READ) return 0;
      nerr++;
      if (!errmsg[0]) snprintf(errmsg, sizeof errmsg, "an idle connection was closed");
      shut(c, 0);
      c->st = S_DONE;
      return 0;
    }
    default:
      return 0;
    }
}
static int pids[512], npids;
static int desc;
static double cpu_of(int pid) {
  char f[64], b[2048];
  sprintf(f, "/proc/%d/stat", pid);
  FILE *h = fopen(f, "r");
  if (!h) return 0;
  size_t n = fread(b, 1, sizeof b - 1, h);
  b[n] = 0;
  fclose(h);
  char *p = strrchr(b, ')');
  unsigned long u, s;
  long cu, cs;
  if (!p || sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &u, &s, &cu, &cs) != 4)
    return 0;
  return (u + s + cu + cs) / (double)sysconf(_SC_CLK_TCK);
}
static double ns_of(int pid) {
  char f[96];
  sprintf(f, "/proc/%d/task", pid);
  DIR *d = opendir(f);
  if (!d) return 0;
  double t = 0;
  struct dirent *e;
  while ((e = readdir(d)))
    if (e->d_name[0] != '.') {
      snprintf(f, sizeof f, "/proc/%d/task/%.20s/schedstat", pid, e->d_name);
      FILE *h = fopen(f, "r");
      unsigned long long x = 0;
      if (h) {
        if (fscanf(h, "%llu", &x) == 1) t += x * 1e-9;
        fclose(h);
      }
    }
  closedir(d);
  return t;
}
static long rss_of(int pid, const char *k) {
  char f[64], l[256];
  sprintf(f, "/proc/%d/status", pid);
  FILE *h = fopen(f, "r");
  long v = 0;
  if (!h) return 0;
  while (fgets(l, sizeof l, h))
    if (!strncmp(l, k, strlen(k))) v = atol(l + strlen(k));
  fclose(h);
  return v;
}
static int ppid_of(int pid) {
  char f[64], b[1024];
  sprintf(f, "/proc/%d/stat", pid);
  FILE *h = fopen(f, "r");
  if (!h) return 0;
  size_t n = fread(b, 1, sizeof b - 1, h);
  b[n] = 0;
  fclose(h);
  int pp = 0;
  char *p = strrchr(b, ')');
  if (p) sscanf(p + 2, "%*c %d", &pp);
  return pp;
}
static void expand(void) {
  if (!desc) return;
  int ch = 1;
  while (ch) {
    ch = 0;
    DIR *d = opendir("/proc");
    struct dirent *e;
    while ((e = readdir(d))) {
      int p = atoi(e->d_name);
      if (!p) continue;
      int pp = ppid_of(p);
      int have = 0, par = 0;
      for (int i = 0; i < npids; i++) {
        if (pids[i] == p) have = 1;
        if (pids[i] == pp) par = 1;
      }
      if (par && !have && npids < 512) {
        pids[npids++] = p;
        ch = 1;
      }
    }
    closedir(d);
  }
}
static double pct(double q) {
  long t = 0, k = (long)(nok * q);
  for (int i = 0; i < HN; i++) {
    t += hist[i];
    if (t > k) return i;
  }
  return -1;
}
static void onterm(int s) {
  (void)s;
  stopped = 1;
}
/** The UUIDs of the file, one a line, each line of the same length. */
static void read_uuids(const char *file) {
  FILE *h = fopen(file, "r");
  if (!h) die(file);
  fseek(h, 0, SEEK_END);
  long n = ftell(h);
  rewind(h);
  uuids = malloc(n + 1);
  nuuids = fread(uuids, 1, n, h) / (UUID + 1);
  fclose(h);
  if (!nuuids || nuuids * (UUID + 1) != n) {
    fprintf(stderr, "%s: not one UUID a line\n", file);
    exit(2);
  }
}
static void raise_nofile(int n) {
  struct rlimit l;
  getrlimit(RLIMIT_NOFILE, &l);
  l.rlim_cur = l.rlim_max;
  setrlimit(RLIMIT_NOFILE, &l);
  if (l.rlim_max >= (rlim_t)n + 16) return;
  fprintf(stderr, "%d connections need a higher limit of file descriptors than %ld\n", n, (long)l.rlim_max);
  exit(2);
}
int main(int ac, char **av) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, onterm);
  int o, conns = 1, b = 0, tls12 = 0;
  double d = 5, w = 1;
  const char *m = "GET", *u = "/j", *ca = 0, *cah = "", *ciph = 0;
  static char hs[8192];
  while ((o = getopt(ac, av, "x:t:m:u:b:H:c:d:w:s:L:E:nrR:P:DA:v:a2N:g:pkG:i:")) > 0)
    switch (o) {
    case 'x':
      pport = atoi(strrchr(optarg, ':') + 1);
      break;
    case 't': {
      char *p = strrchr(optarg, ':');
      tport = atoi(p + 1);
      memcpy(thost, optarg, p - optarg);
      break;
    }
    case 'm':
      m = optarg;
      break;
    case 'u':
      u = optarg;
      break;
    case 'b':
      b = atoi(optarg);
      break;
    case 'H':
      strcat(hs, optarg);
      strcat(hs, "\r\n");
      break;
    case 'c':
      conns = atoi(optarg);
      break;
    case 'd':
      d = atof(optarg);
      break;
    case 'w':
      w = atof(optarg);
      break;
    case 's':
      expst = atoi(optarg);
      break;
    case 'L':
      explen = atol(optarg);
      break;
    case 'E':
      expsub = optarg;
      break;
    case 'n':
      newc = 1;
      break;
    case 'r':
      resume = 1;
      break;
    case 'R':
      rate = atof(optarg);
      break;
    case 'P': {
      char *p = strtok(optarg, ",");
      while (p) {
        pids[npids++] = atoi(p);
        p = strtok(0, ",");
      }
      break;
    }
    case 'D':
      desc = 1;
      break;
    case 'A':
      cah = optarg;
      break;
    case 'v':
      ca = optarg;
      break;
    case 'a':
      alpn = 1;
      break;
    case 'p':
      plain = 1;
      break;
    case 'k':
      ignclose = 1;
      break;
    case '2':
      tls12 = 1;
      break;
    case 'N':
      maxreq = atol(optarg);
      break;
    case 'g':
      ciph = optarg;
      break;
    case 'G':
      read_uuids(optarg);
      break;
    case 'i':
      nhold = atoi(optarg);
      break;
    default:
      exit(2);
    }
  hist = calloc(HN, sizeof *hist);
  req = malloc(16384 + b);
  char absu[2048];
  if (plain && pport) {
    snprintf(absu, sizeof absu, "http://%s:%d%s", thost, tport, u);
    u = absu;
  }
  reqlen =
      sprintf(req,
              "%s %s HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: bench-agent/1.0\r\nAccept: "
              "application/json\r\nAccept-Encoding: identity\r\nX-Trace-Id: 4bf92f3577b34da6a3ce929d0e0e4736\r\n%s",
              m, u, thost, tport, hs);
  if (nuuids) {
    reqlen += sprintf(req + reqlen, "X-Alter-Grant: %*s\r\n", UUID, "");
    uuidat = reqlen - UUID - 2;
  }
  if (b) reqlen += sprintf(req + reqlen, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", b);
  reqlen += sprintf(req + reqlen, "\r\n");
  memset(req + reqlen, 'x', b);
  reqlen += b;
  creqlen = sprintf(creq, "CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n%s%s\r\n", thost, tport, thost, tport, cah,
                    *cah ? "\r\n" : "");
  ctx = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  if (tls12) SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
  if (ciph) SSL_CTX_set_ciphersuites(ctx, ciph);
  if (ca) {
    SSL_CTX_load_verify_locations(ctx, ca, 0);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, 0);
  }
  if (resume) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, onsess);
  }
  ep = epoll_create1(0);
  double t = now();
  tw0 = t + w;
  tw1 = tw0 + d;
  if (nhold && conns > nhold) conns = nhold;
  int nctx = nhold ? nhold : conns;
  C **cs = held = calloc(nctx, sizeof *cs);
  for (int i = 0; i < nctx; i++)
    cs[i] = calloc(1, sizeof(C));
  if (nhold) raise_nofile(nhold);
  for (nopened = 0; nopened < conns; nopened++)
    start(cs[nopened]);
  int told = 0;
  int inw = 0;
  double c0 = 0, c1 = 0, n0 = 0, n1 = 0;
  double me0 = 0;
  struct epoll_event ev[256];
  nextdue = t + 0.2;
  long nconn0 = 0;
  expand();
  for (;;) {
    t = now();
    if (!inw && t >= tw0) {
      inw = 1;
      expand();
      for (int i = 0; i < npids; i++) {
        c0 += cpu_of(pids[i]);
        n0 += ns_of(pids[i]);
      }
      me0 = clock() / (double)CLOCKS_PER_SEC;
      nconn0 = nconn;
    }
    if (stopped || t >= tw1 || (maxreq >= 0 && total >= maxreq)) {
      break;
    }
    if (nhold && nheld >= nhold && !told) {
      told = 1;
      printf("{\"held\":%d}\n", nheld);
      fflush(stdout);
    }
    int to = 100;
    if (rate > 0) {
      while (nextdue <= t && nidle > 0) {
        C *c = idle[--nidle];
        if (newc) {
          c->t0 = nextdue;
          double s = nextdue;
          start(c);
          c->t0 = s;
        } else {
          send_req(c, nextdue);
          if (pump(c) < 0) fail(c, "req");
        }
        nextdue += 1 / rate;
      }
      to = nidle > 0 ? (int)((nextdue - now()) * 1000) : 50;
      if (to < 0) to = 0;
      if (nidle > 0 && nextdue - now() < 0.001) to = 0;
    }
    if (!inw) {
      int k = (int)((tw0 - t) * 1000) + 1;
      if (k < to) to = k;
    } else {
      int k = (int)((tw1 - t) * 1000) + 1;
      if (k < to) to = k;
    }
    if (rate > 0 && nidle > 0 && to == 0) {
      double s = nextdue - now();
      if (s > 0.00006) {
        struct timespec ts = {0, (long)((s - 0.00005) * 1e9)};
        struct epoll_event;
        (void)ts;
        int k = epoll_pwait2(ep, ev, 256, &ts, 0);
        if (k > 0) goto handle0;
        continue;
      handle0:
        for (int i = 0; i < k; i++) {
          C *c = ev[i].data.ptr;
          if (c->fd < 0) continue;
          ERR_clear_error();
          if (pump(c) < 0) fail(c, "io");
        }
        continue;
      }
    }
    int k = epoll_wait(ep, ev, 256, to);
    for (int i = 0; i < k; i++) {
      C *c = ev[i].data.ptr;
      if (c->fd < 0) continue;
      ERR_clear_error();
      if (pump(c) < 0) fail(c, "io");
    }
  }
  double te = now();
  expand();
  long rss = 0, hwm = 0;
  double nsd = 0;
  for (int i = 0; i < npids; i++) {
    c1 += cpu_of(pids[i]);
    n1 += ns_of(pids[i]);
    rss += rss_of(pids[i], "VmRSS:");
    hwm += rss_of(pids[i], "VmHWM:");
  }
  nsd = n1 - n0;
  double mecpu = clock() / (double)CLOCKS_PER_SEC - me0;
  double dur = te - tw0;
  printf("{\"ok\":%ld,\"err\":%ld,\"e401\":%ld,\"estat\":%ld,\"elen\":%ld,\"econ\":%ld,\"rps\":%.1f,\"mbps\":%.1f,"
         "\"mean\":%.1f,\"p50\":%.0f,\"p90\":%.0f,\"p99\":%.0f,\"p999\":%.0f,\"cpu_us\":%.2f,\"cpu_ns_us\":%.2f,\"cpu_"
         "s\":%.2f,\"util\":%.3f,\"rss_mb\":%.1f,\"hwm_mb\":%.1f,\"lg_us\":%.2f,\"conns\":%ld,\"reused\":%ld,\"dur\":%."
         "2f,\"npids\":%d,\"msg\":\"%s\"}\n",
         nok, nerr, e401, estat, elen, econ, nok / dur, bytes / dur / 1048576.0, nok ? latsum / nok : 0, pct(.5),
         pct(.9), pct(.99), pct(.999), nok ? (c1 - c0) / nok * 1e6 : 0, nok ? nsd / nok * 1e6 : 0, c1 - c0,
         (c1 - c0) / dur, rss / 1024.0, hwm / 1024.0, nok ? mecpu / nok * 1e6 : 0, nconn - nconn0, nreused, dur, npids,
         errmsg);
  return (nerr || e401 || estat || elen || !nok) ? 1 : 0;
}
