/** Publishing committed files: partitions registered in the catalog, then marked complete. */
package io.millrace.lake.publish;
