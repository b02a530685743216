package io.millrace.lake.publish;

import java.util.List;

/**
 * What one subtask of the sink prepared or committed for one checkpoint.
 *
 * @param subtask of the sink
 * @param subtasks how many there are
 * @param committed readers see the files; else they are announced, and will be committed once the
 *     checkpoint is complete
 * @param folders that get files: partition paths below the table's folder
 * @param watermark every row up to it, but late ones, is in committed files of this subtask; none
 *     for an announcement
 * @param idle the subtask had no input, so its watermark holds nobody back
 */
public record CommitReport(
    int subtask,
    int subtasks,
    long checkpoint,
    boolean committed,
    List<String> folders,
    long watermark,
    boolean idle) {}
