package io.millrace.transform;

import java.util.List;
import javax.annotation.Nullable;

/**
 * One parameter of an entry, with what is allowed. Built from a type by the methods here: {@code
 * Parameter.text("strategy").oneOf("drop", "ffill").defaultTo("drop").doc("...")}.
 *
 * @param allowed the allowed texts, or empty for any
 * @param fallback the default, as YAML would have it; null for none
 * @param secret given as {@code env:NAME} or {@code file:/path} only, and never shown
 */
public record Parameter(
    String name,
    Type type,
    boolean required,
    @Nullable Object fallback,
    List<String> allowed,
    Bounds bounds,
    boolean secret,
    String doc) {

  /** The kinds of values that YAML can give. */
  public enum Type {
    TEXT,
    INTEGER,
    NUMBER,
    BOOLEAN,
    /** {@code 90 s}, {@code 1 h}, as in a job's configuration. */
    DURATION,
    /** A text, number or boolean, kept as it is typed. */
    SCALAR,
    /** A list of texts; a text with commas is taken as one. */
    TEXTS,
    /** A map or list, whose shape the entry checks. */
    OBJECT,
    /** The name of a column of the input; checked to be there. */
    COLUMN,
    /**
     * Names of columns of the input; checked to be there, unless {@code missing_columns} allows.
     */
    COLUMNS,
    /** An SQL expression over the input's columns. */
    EXPRESSION
  }

  /** The range of a number; null where there is no bound. */
  public record Bounds(@Nullable Double min, @Nullable Double max, boolean minExclusive) {
    public static final Bounds ANY = new Bounds(null, null, false);
  }

  public Parameter {
    allowed = List.copyOf(allowed);
  }

  public static Parameter text(String name) {
    return of(name, Type.TEXT);
  }

  public static Parameter integer(String name) {
    return of(name, Type.INTEGER);
  }

  public static Parameter number(String name) {
    return of(name, Type.NUMBER);
  }

  public static Parameter bool(String name) {
    return of(name, Type.BOOLEAN);
  }

  public static Parameter duration(String name) {
    return of(name, Type.DURATION);
  }

  public static Parameter scalar(String name) {
    return of(name, Type.SCALAR);
  }

  public static Parameter texts(String name) {
    return of(name, Type.TEXTS);
  }

  public static Parameter object(String name) {
    return of(name, Type.OBJECT);
  }

  public static Parameter column(String name) {
    return of(name, Type.COLUMN);
  }

  public static Parameter columns(String name) {
    return of(name, Type.COLUMNS);
  }

  public static Parameter expression(String name) {
    return of(name, Type.EXPRESSION);
  }

  private static Parameter of(String name, Type type) {
    return new Parameter(name, type, false, null, List.of(), Bounds.ANY, false, "");
  }

  /** The step cannot do without it. */
  public Parameter require() {
    return new Parameter(name, type, true, fallback, allowed, bounds, secret, doc);
  }

  public Parameter defaultTo(Object value) {
    return new Parameter(name, type, required, value, allowed, bounds, secret, doc);
  }

  public Parameter oneOf(String... values) {
    return new Parameter(name, type, required, fallback, List.of(values), bounds, secret, doc);
  }

  public Parameter between(double min, double max) {
    return new Parameter(
        name, type, required, fallback, allowed, new Bounds(min, max, false), secret, doc);
  }

  public Parameter atLeast(double min) {
    return new Parameter(
        name, type, required, fallback, allowed, new Bounds(min, null, false), secret, doc);
  }

  public Parameter above(double min) {
    return new Parameter(
        name, type, required, fallback, allowed, new Bounds(min, null, true), secret, doc);
  }

  public Parameter asSecret() {
    return new Parameter(name, type, required, fallback, allowed, bounds, true, doc);
  }

  /** What the parameter means, one or two sentences for the catalog's page. */
  public Parameter doc(String text) {
    return new Parameter(name, type, required, fallback, allowed, bounds, secret, text);
  }
}
