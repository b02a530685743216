package io.millrace.local;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A folder with a small file system of its own, in memory, which can be filled up. */
final class SmallDisk {
  private static final String FILLER = "filler";
  private static final int CHUNK_BYTES = 64 << 10;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private SmallDisk() {}

  /**
   * Puts an empty file system on a folder.
   *
   * @throws IOException when this machine does not let us, with its reason
   */
  static void mount(Path folder, int megabytes) throws IOException {
    Files.createDirectories(folder);
    run("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "millrace", folder.toString());
  }

  /** Takes it away again, as soon as nobody uses it any more; nothing where there is none. */
  static void unmount(Path folder) throws IOException {
    if (!isMounted(folder)) {
      return;
    }
    // A process that was killed may hold its files for a moment.
    Await.until(
        "the small disk to be used by nobody",
        PATIENCE,
        () -> {
          run("umount", folder.toString());
          return true;
        });
  }

  private static boolean isMounted(Path folder) throws IOException {
    return Files.readAllLines(Path.of("/proc/mounts")).stream()
        .anyMatch(line -> line.contains(" " + folder + " tmpfs "));
  }

  /** Writes until nothing fits any more; how many bytes did. */
  static long fill(Path folder) throws IOException {
    Path filler = folder.resolve(FILLER);
    byte[] chunk = new byte[CHUNK_BYTES];
    try (OutputStream out = Files.newOutputStream(filler)) {
      while (true) {
        out.write(chunk);
      }
    } catch (IOException e) {
      if (Files.getFileStore(folder).getUsableSpace() > CHUNK_BYTES) {
        throw e;
      }
      return Files.size(filler);
    }
  }

  static void free(Path folder) throws IOException {
    Files.deleteIfExists(folder.resolve(FILLER));
  }

  private static void run(String... line) throws IOException {
    Process process = new ProcessBuilder(List.of(line)).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.onExit().join().exitValue() != 0) {
      throw new IOException(String.join(" ", line) + ": " + said.strip());
    }
  }
}
