package io.millrace.local;

import io.millrace.local.LakeReader.Rows;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** Prints rows in columns; numbers to the right. */
public final class TextTable {
  private TextTable() {}

  /** Prints a heading, a rule and the rows. */
  public static void print(PrintStream print, Rows table) {
    int columns = table.columns().size();
    int[] widths = new int[columns];
    boolean[] numbers = new boolean[columns];
    for (int i = 0; i < columns; i++) {
      int column = i;
      widths[i] = table.columns().get(i).length();
      numbers[i] = !table.rows().isEmpty();
      for (List<String> row : table.rows()) {
        String cell = text(row.get(column));
        widths[i] = Math.max(widths[i], cell.length());
        numbers[i] &= cell.matches("-?[0-9.]*");
      }
    }
    line(print, table.columns(), widths, numbers);
    List<String> rule = new ArrayList<>();
    for (int width : widths) {
      rule.add("-".repeat(width));
    }
    line(print, rule, widths, numbers);
    for (List<String> row : table.rows()) {
      line(print, row, widths, numbers);
    }
    if (table.rows().isEmpty()) {
      print.println("(no rows)");
    }
  }

  private static void line(PrintStream print, List<String> cells, int[] widths, boolean[] numbers) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < cells.size(); i++) {
      String cell = text(cells.get(i));
      String pad = " ".repeat(widths[i] - cell.length());
      line.append(i == 0 ? "" : "  ").append(numbers[i] ? pad + cell : cell + pad);
    }
    print.println(line.toString().stripTrailing());
  }

  private static String text(String cell) {
    return cell == null ? "null" : cell;
  }
}
