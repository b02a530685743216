package io.millrace.local;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A free port for a server on loopback, which stays this stack's until it is closed.
 *
 * <p>The server itself binds the TCP port, now and after every restart. A UDP socket of the same
 * number keeps other stacks on this machine away from it, whether or not the server runs.
 */
record Port(int number, DatagramSocket mark) implements AutoCloseable {
  // Below the range from which an operating system takes the ports of outgoing connections: while
  // a server is down for a fault test, a client that keeps reconnecting must not be given the
  // server's port as its own.
  private static final int LOWEST = 20_000;
  private static final int HIGHEST = 30_000;
  private static final int ATTEMPTS = 100;

  static Port claim() {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      int number = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
      if (isFree(number)) {
        try {
          return new Port(
              number,
              new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), number)));
        } catch (IOException e) {
          // Another stack has it, though its server does not run now.
        }
      }
    }
    throw new IllegalStateException("no free port between " + LOWEST + " and " + HIGHEST);
  }

  /** Whether no server listens there. */
  static boolean isFree(int number) {
    try (ServerSocket probe = new ServerSocket(number, 1, InetAddress.getLoopbackAddress())) {
      return probe.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() {
    mark.close();
  }
}
