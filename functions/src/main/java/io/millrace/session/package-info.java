/** Sessions: a user's events that were not late, in order, cut where the user was away. */
package io.millrace.session;
