package io.millrace.local;

import io.millrace.local.DetachedStack.Health;
import io.millrace.local.LakeReader.Rows;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Shows the local stack; see {@code --help}. */
@Command(
    name = "scripts/status",
    mixinStandardHelpOptions = true,
    description = {
      "Shows each server of scripts/up: whether it answers, its process, memory and address.",
      "Exits with 0 only when all of them are healthy."
    },
    version = "Millrace 0.1.0",
    sortOptions = false)
public final class Status implements Callable<Integer> {
  private final PrintStream print;
  private final Path home;

  Status(PrintStream print, Path home) {
    this.print = print;
    this.home = home;
  }

  public static void main(String[] args) {
    PrintStream print = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(Commands.run(new Status(print, Commands.home()), args));
  }

  @Override
  public Integer call() {
    DetachedStack stack = DetachedStack.running(home.resolve(DetachedStack.FOLDER));
    List<Health> health = stack.health();
    List<List<String>> rows = new ArrayList<>();
    for (Health h : health) {
      rows.add(
          List.of(
              h.part(),
              h.isHealthy() ? "healthy" : "UNHEALTHY",
              Long.toString(h.pid()),
              memory(h.pid()),
              h.address()));
    }
    TextTable.print(
        print,
        new Rows(List.of("part", "health", "pid", "MB", "address"), rows, Set.of("pid", "MB")));
    List<Health> sick = health.stream().filter(h -> !h.isHealthy()).toList();
    sick.forEach(h -> print.println(h.part() + " " + h.trouble()));
    if (!sick.isEmpty()) {
      print.println("scripts/up starts again what does not run");
      return 1;
    }
    print.println("Flink: " + stack.server("jobmanager").address() + "   Jobs: scripts/jobs");
    return 0;
  }

  /** What a process takes of the machine's memory, in MB. */
  private static String memory(long pid) {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .map(line -> Long.toString(Long.parseLong(line.replaceAll("[^0-9]", "")) >> 10))
          .findFirst()
          .orElse("-");
    } catch (IOException e) {
      return "-";
    }
  }
}
