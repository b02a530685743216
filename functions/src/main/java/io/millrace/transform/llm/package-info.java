/** Language models behind an OpenAI-compatible endpoint. */
package io.millrace.transform.llm;
