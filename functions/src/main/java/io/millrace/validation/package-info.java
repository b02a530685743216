/** The rules that a record must satisfy, and what becomes of those that do not. */
package io.millrace.validation;
