package io.millrace.bench;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** A run in a JVM of its own, which leaves its figures in its folder. */
final class MeasuredJvm {
  /** Where a run writes its figures. */
  static final String FIGURES = "figures.properties";

  /** What the flight recorder writes. */
  static final String RECORDING = "recording.jfr";

  private MeasuredJvm() {}

  /**
   * Runs a class with the folder as its argument, on this JVM's class path, until it ends.
   *
   * @param profile whether the flight recorder runs
   * @return its figures
   * @throws IllegalStateException with all that it said when it fails
   */
  static Properties run(
      Class<?> main,
      Path folder,
      List<String> flags,
      Map<String, String> environment,
      boolean profile)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.add("-Dmillrace.log=" + folder.resolve("flink.log"));
    if (profile) {
      // Else samples of inlined code are counted for the next call in it.
      command.addAll(List.of("-XX:+UnlockDiagnosticVMOptions", "-XX:+DebugNonSafepoints"));
      command.add(
          "-XX:StartFlightRecording=settings=profile,filename=" + folder.resolve(RECORDING));
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(main.getName(), folder.toString()));
    Path console = folder.resolve("console.log");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(console.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    Thread hook = new Thread(process::destroyForcibly, "stop-measured-run");
    Runtime.getRuntime().addShutdownHook(hook);
    int exit = process.waitFor();
    Runtime.getRuntime().removeShutdownHook(hook);
    if (exit != 0) {
      throw new IllegalStateException(
          "the measured run ended with exit code " + exit + ":\n" + Files.readString(console));
    }
    Properties figures = new Properties();
    try (Reader in = Files.newBufferedReader(folder.resolve(FIGURES), StandardCharsets.UTF_8)) {
      figures.load(in);
    }
    return figures;
  }
}
