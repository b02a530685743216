/** JSON services on the web: asking them safely, and their answers as rows. */
package io.millrace.transform.http;
