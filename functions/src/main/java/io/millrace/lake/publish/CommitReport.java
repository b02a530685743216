package io.millrace.lake.publish;

import java.util.List;

/**
 * What one subtask of the committer has done for one checkpoint: the folders that got files, and
 * how far its commits reach in event time.
 *
 * @param subtask of the committer
 * @param subtasks how many there are
 * @param folders partition paths below the table's folder
 * @param watermark every row up to it, but late ones, is in committed files of this subtask
 * @param idle the subtask had no input, so its watermark holds nobody back
 */
public record CommitReport(
    int subtask, int subtasks, List<String> folders, long watermark, boolean idle) {}
