package io.millrace.local;

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
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The way to the S3 server, which can be made to fail.
 *
 * <p>It passes bytes, not requests: S3 clients sign the Host header, so nothing may be rewritten.
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
  private static final String SLOW_DOWN =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          + "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message>"
          + "<RequestId>0</RequestId></Error>";

  private final ServerSocket listener;
  private final InetSocketAddress server;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicLong faults = new AtomicLong();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(task -> daemon("s3-outage", task));
  private Mode mode = Mode.OK;
  private Future<?> end;

  private FaultyS3(ServerSocket listener, InetSocketAddress server) {
    this.listener = listener;
    this.server = server;
  }

  /** Opens a way to the server, without faults. */
  public static FaultyS3 before(URI server) {
    try {
      FaultyS3 proxy =
          new FaultyS3(
              new ServerSocket(0, 512, InetAddress.getLoopbackAddress()),
              new InetSocketAddress(server.getHost(), server.getPort()));
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

  @Override
  public void close() {
    timer.shutdownNow();
    closeQuietly(listener);
    // Wakes those that wait in a stall; their connections are closed.
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
      upstream.connect(server);
      upstream.setTcpNoDelay(true);
      client.setTcpNoDelay(true);
      if (!register(client)) {
        return;
      }
      Thread requests = daemon("s3-requests", () -> pump(client, upstream));
      requests.start();
      pump(upstream, client);
      requests.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      open.remove(client);
    }
  }

  /** Copies until either side ends, and then closes both: an HTTP peer never half-closes. */
  private void pump(Socket from, Socket to) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        Mode now = passStall();
        if (now == Mode.RESPOND_503 || now == Mode.RESET) {
          return;
        }
        out.write(buffer, 0, n);
      }
    } catch (IOException e) {
      // Closed by the other pump, by a peer or by a fault.
    }
  }

  private static void respond503(Socket client) throws IOException {
    InputStream in = client.getInputStream();
    String header = readHeader(in).toLowerCase(Locale.ROOT);
    if (!header.contains("\r\nexpect: 100-continue")) {
      // An unread body would turn the close into a reset, and the client would not see the answer.
      in.skipNBytes(contentLength(header));
    }
    String body = header.startsWith("head ") ? "" : SLOW_DOWN;
    String response =
        "HTTP/1.1 503 Slow Down\r\n"
            + "Content-Type: application/xml\r\n"
            + "Content-Length: "
            + body.length()
            + "\r\nConnection: close\r\n\r\n"
            + body;
    client.getOutputStream().write(response.getBytes(StandardCharsets.US_ASCII));
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
