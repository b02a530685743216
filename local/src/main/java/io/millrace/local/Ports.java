package io.millrace.local;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Free ports on the loopback interface. */
final class Ports {
  // Below the range from which an operating system takes the ports of outgoing connections: while
  // a server is down for a fault test, a client that keeps reconnecting must not be given the
  // server's port as its own.
  private static final int LOWEST = 20_000;
  private static final int HIGHEST = 30_000;

  private Ports() {}

  static int free() {
    for (int attempt = 0; attempt < 100; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
      if (isFree(port)) {
        return port;
      }
    }
    throw new IllegalStateException("no free port between " + LOWEST + " and " + HIGHEST);
  }

  private static boolean isFree(int port) {
    try (ServerSocket loopback = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return loopback.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
