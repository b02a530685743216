/** Seeded simulators that know the truth about what they send. Imports only {@code event}. */
package io.millrace.datagen;
