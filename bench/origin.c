// Cheap HTTPS origin: one thread, epoll, OpenSSL. gcc -O2 -o origin origin.c -lssl -lcrypto
// usage: origin PORT CERT KEY [require-auth-value]
// GET /j -> 1024 B JSON, GET /big -> 1 MiB, POST /echo -> {"len":N} (de-chunks), GET /sse -> 5 chunked events
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/err.h>
#define HB 32768
typedef struct {
  int fd;
  SSL *ssl;
  int hs;
  char in[HB];
  int inlen;
  int st; // st 0 headers 1 body-cl 2 body-chunked
  long body, left;
  int cst;
  long csz;
  int path;
  int is401;
  const char *out;
  size_t outlen, outoff;
  char small[1024];
  int wantw;
} C;
static int ep;
static SSL_CTX *ctx;
static char jresp[4096];
static int jlen;
static char *big;
static int biglen;
static const char *auth;
static char r401[256];
static int l401;
static void cl(C *c) {
  epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, 0);
  SSL_free(c->ssl);
  close(c->fd);
  free(c);
}
static void arm(C *c, int w) {
  if (c->wantw == w) return;
  c->wantw = w;
  struct epoll_event e = {.events = EPOLLIN | (w ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static const char *hdr(const char *h, const char *end, const char *name, int *vl) {
  size_t n = strlen(name);
  const char *p = h;
  while (p < end) {
    const char *e = memmem(p, end - p, "\r\n", 2);
    if (!e) e = end;
    if ((size_t)(e - p) > n && p[n] == ':' && !strncasecmp(p, name, n)) {
      p += n + 1;
      while (*p == ' ')
        p++;
      *vl = e - p;
      return p;
    }
    p = e + 2;
  }
  return 0;
}
static int flush_(C *c) {
  while (c->outoff < c->outlen) {
    size_t n = c->outlen - c->outoff;
    if (n > 131072) n = 131072;
    int r = SSL_write(c->ssl, c->out + c->outoff, n);
    if (r > 0) {
      c->outoff += r;
      continue;
    }
    int e = SSL_get_error(c->ssl, r);
    if (e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ) {
      arm(c, 1);
      return 1;
    }
    return -1;
  }
  arm(c, 0);
  c->out = 0;
  return 0;
}
static void reply(C *c) {
  if (c->is401) {
    c->out = r401;
    c->outlen = l401;
  } else if (c->path == 1) {
    c->out = big;
    c->outlen = biglen;
  } else if (c->path == 2) {
    char b[64];
    int n = sprintf(b, "{\"len\":%ld}", c->body);
    c->outlen = sprintf(
        c->small, "HTTP/1.1 200 OK\r\nServer: cbench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
        n, b);
    c->out = c->small;
  } else {
    c->out = jresp;
    c->outlen = jlen;
  }
  c->outoff = 0;
}
static int chunk(C *c, const char *p, int n, int *used) { // returns 1 when finished
  int i = 0;
  while (i < n) {
    switch (c->cst) {
    case 0: {
      char ch = p[i++];
      if (ch == '\n') {
        c->cst = c->csz ? 2 : 4;
        if (!c->csz) {
          c->cst = 4;
        }
      } else if (ch == '\r' || ch == ' ') {
      } else if (c->cst == 0) {
        int d = ch >= '0' && ch <= '9' ? ch - '0' : (ch | 32) >= 'a' && (ch | 32) <= 'f' ? (ch | 32) - 'a' + 10 : -1;
        if (d < 0) {
          c->cst = 1;
        } else c->csz = c->csz * 16 + d;
      }
      break;
    }
    case 1:
      if (p[i++] == '\n') c->cst = c->csz ? 2 : 4;
      break;
    case 2: {
      long k = n - i < c->csz ? n - i : c->csz;
      i += k;
      c->csz -= k;
      c->body += k;
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
      if (p[i++] == '\n') {
        *used = i;
        return 1;
      }
      break;
    }
  }
  *used = i;
  return 0;
}
static int proc(C *c) { // consume input; -1 close
  for (;;) {
    if (c->out) {
      int r = flush_(c);
      if (r) return r < 0 ? -1 : 0;
    }
    if (c->st == 0) {
      if (!c->inlen) return 0;
      char *e = memmem(c->in, c->inlen, "\r\n\r\n", 4);
      if (!e) {
        if (c->inlen >= HB) return -1;
        return 0;
      }
      int hl = e + 4 - c->in;
      int vl;
      const char *v;
      char *l = memmem(c->in, hl, "\r\n", 2);
      char *sp = memchr(c->in, ' ', l - c->in);
      if (!sp) return -1;
      sp++;
      c->path = !strncmp(sp, "/big", 4) ? 1 : !strncmp(sp, "/echo", 5) ? 2 : 0;
      c->is401 = 0;
      if (auth) {
        v = hdr(l + 2, e, "authorization", &vl);
        if (!v || vl != (int)strlen(auth) || memcmp(v, auth, vl)) c->is401 = 1;
      }
      c->body = 0;
      c->left = 0;
      v = hdr(l + 2, e, "content-length", &vl);
      int nb = 0;
      if (v) {
        c->left = atol(v);
        if (c->left) {
          c->st = 1;
          nb = 1;
        }
      } else {
        v = hdr(l + 2, e, "transfer-encoding", &vl);
        if (v && !strncasecmp(v, "chunked", 7)) {
          c->st = 2;
          c->cst = 0;
          c->csz = 0;
          nb = 1;
        }
      }
      v = hdr(l + 2, e, "expect", &vl);
      if (v) {
        static const char x[] = "HTTP/1.1 100 Continue\r\n\r\n";
        SSL_write(c->ssl, x, sizeof x - 1);
      }
      memmove(c->in, c->in + hl, c->inlen - hl);
      c->inlen -= hl;
      if (!nb) {
        reply(c);
        continue;
      }
    }
    if (c->st == 1) {
      long k = c->inlen < c->left ? c->inlen : c->left;
      c->left -= k;
      c->body += k;
      memmove(c->in, c->in + k, c->inlen - k);
      c->inlen -= k;
      if (c->left) return 0;
      c->st = 0;
      reply(c);
      continue;
    }
    if (c->st == 2) {
      int u;
      int d = chunk(c, c->in, c->inlen, &u);
      memmove(c->in, c->in + u, c->inlen - u);
      c->inlen -= u;
      if (!d) return 0;
      c->st = 0;
      reply(c);
      continue;
    }
  }
}
int main(int ac, char **av) {
  signal(SIGPIPE, SIG_IGN);
  int port = atoi(av[1]);
  auth = ac > 4 ? av[4] : 0;
  char body[1025];
  int n = sprintf(body, "{\"items\":[");
  while (n < 1000)
    n += sprintf(body + n, "{\"id\":%d},", n);
  while (n < 1022)
    body[n++] = ' ';
  body[n++] = ']';
  body[n++] = '}';
  body[n] = 0;
  {
    char *q = strrchr(body, ',');
    *q = ' ';
  }
  jlen =
      sprintf(jresp,
              "HTTP/1.1 200 OK\r\nServer: cbench\r\nDate: Tue, 01 Oct 2024 00:00:00 GMT\r\nContent-Type: "
              "application/json; charset=utf-8\r\nContent-Length: 1024\r\nCache-Control: no-store\r\nX-Request-Id: "
              "3f1c2b7e-7a2a-4a9e-9a56-0b7f1a1f2f3d\r\nX-RateLimit-Remaining: 4999\r\nVary: Accept-Encoding\r\n\r\n%s",
              body);
  big = malloc(1 << 20 | 4096);
  biglen = sprintf(
      big,
      "HTTP/1.1 200 OK\r\nServer: cbench\r\nContent-Type: application/octet-stream\r\nContent-Length: 1048576\r\n\r\n");
  for (int i = 0; i < 1 << 20; i++)
    big[biglen + i] = 'a' + i % 26;
  biglen += 1 << 20;
  l401 = sprintf(r401, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  ctx = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_use_certificate_chain_file(ctx, av[2]);
  SSL_CTX_use_PrivateKey_file(ctx, av[3], SSL_FILETYPE_PEM);
  int ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, 4);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(ls, (void *)&a, sizeof a) || listen(ls, 1024)) {
    perror("bind");
    return 1;
  }
  ep = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = 0};
  epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
  struct epoll_event ev[256];
  for (;;) {
    int k = epoll_wait(ep, ev, 256, -1);
    for (int i = 0; i < k; i++) {
      C *c = ev[i].data.ptr;
      if (!c) {
        int fd;
        while ((fd = accept4(ls, 0, 0, SOCK_NONBLOCK)) >= 0) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, 4);
          c = calloc(1, sizeof *c);
          c->fd = fd;
          c->ssl = SSL_new(ctx);
          SSL_set_fd(c->ssl, fd);
          SSL_set_accept_state(c->ssl);
          struct epoll_event x = {.events = EPOLLIN, .data.ptr = c};
          epoll_ctl(ep, EPOLL_CTL_ADD, fd, &x);
        }
        continue;
      }
      ERR_clear_error();
      if (c->out) {
        if (proc(c) < 0) {
          cl(c);
          continue;
        }
        if (c->out) continue;
      }
      int dead = 0;
      for (;;) {
        if (c->inlen >= HB) {
          dead = 1;
          break;
        }
        int r = SSL_read(c->ssl, c->in + c->inlen, HB - c->inlen);
        if (r > 0) {
          c->inlen += r;
          if (proc(c) < 0) {
            dead = 1;
            break;
          }
          if (c->out) break;
          if (c->st == 0 && c->inlen == 0 && !SSL_has_pending(c->ssl)) break;
          continue;
        }
        int er = SSL_get_error(c->ssl, r);
        if (er == SSL_ERROR_WANT_READ) break;
        if (er == SSL_ERROR_WANT_WRITE) {
          arm(c, 1);
          break;
        }
        dead = 1;
        break;
      }
      if (dead) cl(c);
    }
  }
}
