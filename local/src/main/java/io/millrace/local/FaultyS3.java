package io.millrace.local;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The way to the S3 server, which can be made to fail: as a whole, or in single steps of uploads.
 *
 * <p>Requests pass as they are, but for `Expect`: S3 clients sign the Host header, so nothing that
 * is signed may be rewritten.
 */
public final class FaultyS3 implements AutoCloseable {

  /** What a client meets. */
  public enum Mode {
    /** The server behind. */
    OK,
    /** `503 Slow Down` to every request; connections that were open are closed. */
    RESPOND_503,
    /** A reset of every connection. */
    RESET,
    /** Silence, on open connections too, until the mode changes. */
    STALL
  }

  private static final int BUFFER_BYTES = 64 * 1024;
  private static final int MAX_HEADER_BYTES = 64 * 1024;
  private static final String SLOW_DOWN = "503 Slow Down";
  private static final Map<String, String> ERRORS =
      Map.of(
          SLOW_DOWN,
          error("SlowDown", "Please reduce your request rate."),
          "500 Internal Server Error",
          error("InternalError", "We encountered an internal error."),
          "429 Too Many Requests",
          error("TooManyRequests", "Please reduce your request rate."),
          "403 Forbidden",
          error("AccessDenied", "Access Denied"));
  private static final String EXPECT = "\r\nexpect: 100-continue\r\n";
  private static final long STALL_MILLIS = 5_000;

  private final ServerSocket listener;
  private final Supplier<InetSocketAddress> server;
  private final S3Faults steps;
  private int held;
  private long releases;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicLong faults = new AtomicLong();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(task -> daemon("s3-outage", task));
  private Mode mode = Mode.OK;
  private Future<?> end;

  private FaultyS3(ServerSocket listener, Supplier<InetSocketAddress> server, long seed) {
    this.listener = listener;
    this.server = server;
    this.steps = new S3Faults(seed);
  }

  /** Opens a way to the server, without faults. */
  public static FaultyS3 before(URI server) {
    return before(() -> server, 0);
  }

  /**
   * The same.
   *
   * @param server is asked for each connection
   * @param seed of the dice that choose which requests fail
   */
  static FaultyS3 before(Supplier<URI> server, long seed) {
    try {
      FaultyS3 proxy =
          new FaultyS3(
              new ServerSocket(0, 512, InetAddress.getLoopbackAddress()),
              () -> new InetSocketAddress(server.get().getHost(), server.get().getPort()),
              seed);
      daemon("s3-accept", proxy::accept).start();
      return proxy;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot listen for S3 requests", e);
    }
  }

  /** What clients use in place of the server's endpoint. */
  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + listener.getLocalPort());
  }

  /** Switches at once, for open connections and for new ones, and ends any timed outage. */
  public synchronized void setMode(Mode wanted) {
    if (end != null) {
      end.cancel(false);
      end = null;
    }
    change(wanted);
  }

  /** Answers 503 for a time, then works again; returns at once. */
  public void outage(Duration duration) {
    outage(Mode.RESPOND_503, duration);
  }

  /** Fails in a mode for a time, then works again; returns at once. */
  public synchronized void outage(Mode fault, Duration duration) {
    setMode(fault);
    end = timer.schedule(() -> setMode(Mode.OK), duration.toMillis(), TimeUnit.MILLISECONDS);
  }

  public synchronized Mode mode() {
    return mode;
  }

  /** How many requests and connections have met a fault. */
  public long faults() {
    return faults.get();
  }

  /** Makes single steps of uploads fail from now on; no rules end that. */
  public void setRules(S3Faults.Rule... rules) {
    steps.set(List.of(rules));
  }

  /** How many requests there were of an operation, and how many of them a rule made fail. */
  public S3Faults.Count count(S3Faults.Operation operation) {
    return steps.count(operation);
  }

  /** How many requests are held at the moment. */
  public synchronized int held() {
    return held;
  }

  /** Closes the connections of requests that are held; the server never gets those. */
  public synchronized void release() {
    releases++;
    notifyAll();
  }

  @Override
  public void close() {
    timer.shutdownNow();
    closeQuietly(listener);
    // Wakes those that wait in a stall or are held; their connections are closed.
    release();
    change(Mode.RESET);
  }

  private synchronized void change(Mode wanted) {
    mode = wanted;
    if (mode == Mode.RESPOND_503 || mode == Mode.RESET) {
      for (Socket socket : open) {
        faults.incrementAndGet();
        closeQuietly(socket);
      }
    }
    notifyAll();
  }

  /** The mode, once it is no longer a stall. */
  private synchronized Mode passStall() {
    if (mode == Mode.STALL) {
      faults.incrementAndGet();
    }
    while (mode == Mode.STALL) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Mode.RESET;
      }
    }
    return mode;
  }

  /** Whether the connection may pass bytes: the mode may have changed since it was accepted. */
  private synchronized boolean register(Socket client) {
    boolean passes = mode == Mode.OK || mode == Mode.STALL;
    if (passes) {
      open.add(client);
    } else {
      faults.incrementAndGet();
    }
    return passes;
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        daemon("s3-connection", () -> serve(client)).start();
      } catch (IOException e) {
        // The listener was closed, or a client was gone before it was accepted.
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      switch (passStall()) {
        case RESPOND_503 -> {
          faults.incrementAndGet();
          respond503(client);
        }
        case RESET -> {
          faults.incrementAndGet();
          client.setSoLinger(true, 0);
        }
        case OK, STALL -> pass(client);
      }
    } catch (IOException e) {
      // The client or the server went away, or a fault closed the connection.
    }
  }

  private void pass(Socket client) throws IOException {
    try (Socket upstream = new Socket()) {
      upstream.connect(server.get());
      upstream.setTcpNoDelay(true);
      client.setTcpNoDelay(true);
      if (!register(client)) {
        return;
      }
      AtomicBoolean answersLost = new AtomicBoolean();
      Thread requests = daemon("s3-requests", () -> passRequests(client, upstream, answersLost));
      requests.start();
      passAnswers(upstream, client, answersLost);
      requests.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      open.remove(client);
    }
  }

  /** Copies until either side ends, and then closes both: an HTTP peer never half-closes. */
  private void passAnswers(Socket upstream, Socket client, AtomicBoolean answersLost) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (upstream;
        client) {
      InputStream in = upstream.getInputStream();
      OutputStream out = client.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        if (isCut()) {
          return;
        }
        if (answersLost.get()) {
          client.setSoLinger(true, 0);
          return;
        }
        out.write(buffer, 0, n);
      }
    } catch (IOException e) {
      // Closed by the other direction, by a peer or by a fault.
    }
  }

  /** Waits for the end of a stall; whether the connection is to be closed. */
  private boolean isCut() {
    Mode now = passStall();
    return now == Mode.RESPOND_503 || now == Mode.RESET;
  }

  /** One request after the other, each whole: clients of S3 wait for the answer before the next. */
  private void passRequests(Socket client, Socket upstream, AtomicBoolean answersLost) {
    try (client;
        upstream) {
      InputStream in = new BufferedInputStream(client.getInputStream(), BUFFER_BYTES);
      OutputStream out = new BufferedOutputStream(upstream.getOutputStream(), BUFFER_BYTES);
      for (String head = readHeader(in); !isCut(); head = readHeader(in)) {
        String line = head.substring(0, head.indexOf('\r'));
        S3Faults.Outcome outcome = steps.decide(line);
        if (outcome != S3Faults.Outcome.PASS) {
          faults.incrementAndGet();
        }
        switch (outcome) {
          case PASS -> passRequest(head, in, client, out);
          case LOSE_ANSWER -> {
            answersLost.set(true);
            passRequest(head, in, client, out);
          }
          case ANSWER_503 -> answer(SLOW_DOWN, head, in, client);
          case ANSWER_500 -> answer("500 Internal Server Error", head, in, client);
          case ANSWER_429 -> answer("429 Too Many Requests", head, in, client);
          case ANSWER_403 -> answer("403 Forbidden", head, in, client);
          case RESET -> {
            client.setSoLinger(true, 0);
            return;
          }
          case STALL -> {
            hold(STALL_MILLIS);
            return;
          }
          case HOLD -> {
            hold(Long.MAX_VALUE);
            return;
          }
        }
      }
    } catch (IOException e) {
      // Closed by the other direction, by a peer or by a fault.
    }
  }

  private void passRequest(String head, InputStream in, Socket client, OutputStream out)
      throws IOException {
    String lower = head.toLowerCase(Locale.ROOT);
    if (lower.contains("\r\ntransfer-encoding:")) {
      throw new IOException("a request whose length is not told");
    }
    int expect = acceptBody(lower, client);
    String sent =
        expect < 0
            ? head
            : head.substring(0, expect) + head.substring(expect + EXPECT.length() - 2);
    out.write(sent.getBytes(StandardCharsets.ISO_8859_1));
    byte[] buffer = new byte[BUFFER_BYTES];
    for (long left = contentLength(lower); left > 0; ) {
      int n = in.read(buffer, 0, (int) Math.min(left, buffer.length));
      if (n < 0 || isCut()) {
        throw new EOFException("the body ended early");
      }
      out.write(buffer, 0, n);
      left -= n;
    }
    out.flush();
  }

  /** Lets the client send its body, in the server's place; where it asked, -1 if it did not. */
  private static int acceptBody(String lowerHead, Socket client) throws IOException {
    int expect = lowerHead.indexOf(EXPECT);
    if (expect >= 0) {
      client
          .getOutputStream()
          .write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }
    return expect;
  }

  private static void answer(String status, String head, InputStream in, Socket client)
      throws IOException {
    String lower = head.toLowerCase(Locale.ROOT);
    acceptBody(lower, client);
    in.skipNBytes(contentLength(lower));
    client.getOutputStream().write(response(status, lower, ""));
  }

  private static byte[] response(String status, String lowerHead, String moreHeaders) {
    String body = lowerHead.startsWith("head ") ? "" : ERRORS.get(status);
    return ("HTTP/1.1 "
            + status
            + "\r\nContent-Type: application/xml\r\nContent-Length: "
            + body.length()
            + moreHeaders
            + "\r\n\r\n"
            + body)
        .getBytes(StandardCharsets.US_ASCII);
  }

  private static String error(String code, String message) {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"
        + code
        + "</Code><Message>"
        + message
        + "</Message><RequestId>0</RequestId></Error>";
  }

  private synchronized void hold(long millis) {
    long begun = releases;
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    held++;
    try {
      for (long left = millis; left > 0 && releases == begun; ) {
        wait(left);
        left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      held--;
    }
  }

  private static void respond503(Socket client) throws IOException {
    InputStream in = client.getInputStream();
    String header = readHeader(in).toLowerCase(Locale.ROOT);
    if (!header.contains("\r\nexpect: 100-continue")) {
      // An unread body would turn the close into a reset, and the client would not see the answer.
      in.skipNBytes(contentLength(header));
    }
    client.getOutputStream().write(response(SLOW_DOWN, header, "\r\nConnection: close"));
    client.shutdownOutput();
    // Lets the client close first, for the same reason.
    client.setSoTimeout(1_000);
    in.transferTo(OutputStream.nullOutputStream());
  }

  private static String readHeader(InputStream in) throws IOException {
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    int matched = 0;
    while (matched < 4) {
      int b = in.read();
      if (b < 0 || header.size() > MAX_HEADER_BYTES) {
        throw new EOFException("no request");
      }
      header.write(b);
      if (b == "\r\n\r\n".charAt(matched)) {
        matched++;
      } else {
        matched = b == '\r' ? 1 : 0;
      }
    }
    return header.toString(StandardCharsets.ISO_8859_1);
  }

  private static long contentLength(String header) {
    return header
        .lines()
        .filter(line -> line.startsWith("content-length:"))
        .mapToLong(line -> Long.parseLong(line.substring("content-length:".length()).strip()))
        .findFirst()
        .orElse(0);
  }

  private static Thread daemon(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  private static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (SocketException e) {
      // It was closed already.
    } catch (Exception e) {
      throw new IllegalStateException("cannot close " + closeable, e);
    }
  }
}
