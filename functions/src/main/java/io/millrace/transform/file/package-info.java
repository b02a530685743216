/** Files as rows and rows as files: how the catalog's extracts and loads read and write them. */
package io.millrace.transform.file;
