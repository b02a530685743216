/** Language models behind an OpenAI-compatible endpoint, and the entry that asks them. */
package io.millrace.transform.llm;
