package io.millrace.bench;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * A table of staff of any length in the shape of a known sample: 35 columns, of which five have
 * fractions and lack 2 % of their values; one row in 200 has an income far from the others, and no
 * two rows are the same. The same rows and seed make the same file.
 */
final class StaffFile {
  private static final String HEADER =
      "EmployeeNumber,Age,Attrition,BusinessTravel,DailyRate,Department,DistanceFromHome,Education,"
          + "EducationField,EmployeeCount,EnvironmentSatisfaction,Gender,HourlyRate,JobInvolvement,"
          + "JobLevel,JobRole,JobSatisfaction,MaritalStatus,MonthlyIncome,MonthlyRate,"
          + "NumCompaniesWorked,Over18,OverTime,PercentSalaryHike,PerformanceRating,"
          + "RelationshipSatisfaction,StandardHours,StockOptionLevel,TotalWorkingYears,"
          + "TrainingTimesLastYear,WorkLifeBalance,YearsAtCompany,YearsInCurrentRole,"
          + "YearsSinceLastPromotion,YearsWithCurrManager";
  private static final String[] TRAVEL = {"Travel_Rarely", "Travel_Frequently", "Non-Travel"};
  private static final String[] DEPARTMENTS = {
    "Research & Development", "Sales", "Human Resources"
  };
  private static final String[] FIELDS = {
    "Life Sciences", "Medical", "Marketing", "Technical Degree", "Human Resources", "Other"
  };
  private static final String[] ROLES = {
    "Sales Executive",
    "Research Scientist",
    "Laboratory Technician",
    "Manufacturing Director",
    "Healthcare Representative",
    "Manager"
  };
  private static final String[] MARRIED = {"Single", "Married", "Divorced"};
  private static final int ROWS_PER_OUTLIER = 200;
  private static final double MISSING = 0.02;

  private final SplittableRandom random;
  private final StringBuilder line = new StringBuilder(256);
  private boolean whole;

  private StaffFile(long seed) {
    this.random = new SplittableRandom(seed);
  }

  /**
   * What is in a file.
   *
   * @param outliers rows with an income far from the others
   * @param kept rows that are no outliers and lack nothing
   */
  record Truth(long rows, long outliers, long kept, long bytes) {}

  static Truth write(Path file, long rows, long seed) throws IOException {
    return new StaffFile(seed).write(file, rows);
  }

  private Truth write(Path file, long rows) throws IOException {
    long outliers = 0;
    long kept = 0;
    try (BufferedWriter out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
      out.write(HEADER);
      out.write('\n');
      long outlier = 0;
      for (long i = 0; i < rows; i++) {
        if (i % ROWS_PER_OUTLIER == 0) {
          outlier = i + random.nextInt(ROWS_PER_OUTLIER);
        }
        boolean far = i == outlier;
        row(i + 1, far);
        out.append(line);
        outliers += far ? 1 : 0;
        kept += !far && whole ? 1 : 0;
      }
    }
    return new Truth(rows, outliers, kept, Files.size(file));
  }

  private void row(long number, boolean outlier) {
    line.setLength(0);
    whole = true;
    line.append(number);
    between(18, 60);
    one("No", "No", "No", "No", "No", "Yes");
    one(TRAVEL);
    between(100, 1500);
    one(DEPARTMENTS);
    between(1, 29);
    between(1, 5);
    one(FIELDS);
    line.append(",1");
    gap(1, 4);
    one("Male", "Female");
    between(30, 100);
    between(1, 4);
    between(1, 5);
    one(ROLES);
    gap(1, 4);
    one(MARRIED);
    if (outlier) {
      between(60_000, 100_000);
    } else {
      between(1_000, 20_000);
    }
    between(2_000, 27_000);
    gap(0, 9);
    line.append(",Y");
    one("Yes", "No", "No");
    between(11, 25);
    between(3, 4);
    between(1, 4);
    line.append(",80");
    between(0, 3);
    gap(0, 40);
    between(0, 6);
    gap(1, 4);
    between(0, 40);
    between(0, 18);
    between(0, 15);
    between(0, 17);
    line.append('\n');
  }

  private void between(int least, int most) {
    line.append(',').append(random.nextInt(least, most + 1));
  }

  /** A number with a fraction, as pandas writes integers of a column with gaps; or nothing. */
  private void gap(int least, int most) {
    boolean missing = random.nextDouble() < MISSING;
    int value = random.nextInt(least, most + 1);
    line.append(',');
    if (missing) {
      whole = false;
    } else {
      line.append(value).append(".0");
    }
  }

  private void one(String... values) {
    line.append(',').append(values[random.nextInt(values.length)]);
  }
}
