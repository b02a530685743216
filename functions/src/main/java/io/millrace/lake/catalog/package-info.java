/** Table catalogs, and the schema of lake tables that catalogs and files are made from. */
package io.millrace.lake.catalog;
