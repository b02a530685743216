/** The proof that nothing was lost or doubled: received = accepted + rejected + duplicates. */
package io.millrace.ledger;
