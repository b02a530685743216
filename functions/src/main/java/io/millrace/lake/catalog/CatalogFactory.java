package io.millrace.lake.catalog;

import java.io.Serializable;

/** Opens a catalog where it is used: it travels with an operator, connections do not. */
@FunctionalInterface
public interface CatalogFactory extends Serializable {

  /** A catalog that connects with its first call; never fails because the catalog is down. */
  Catalog open();
}
