package io.millrace.local;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/**
 * The main class of every server process: runs the server's own main and halts when the pipe from
 * the parent closes, so that a server does not outlive a parent that was killed.
 */
final class Tether {
  private Tether() {}

  public static void main(String[] args) {
    Thread watch = new Thread(Tether::haltWithParent, "tether");
    watch.setDaemon(true);
    watch.start();
    try {
      Class.forName(args[0])
          .getMethod("main", String[].class)
          .invoke(null, (Object) Arrays.copyOfRange(args, 1, args.length));
    } catch (ReflectiveOperationException e) {
      // Threads that the server has started must not keep what has failed alive.
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private static void haltWithParent() {
    try {
      System.in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // A broken pipe means the same as a closed one.
    }
    Runtime.getRuntime().halt(1);
  }
}
