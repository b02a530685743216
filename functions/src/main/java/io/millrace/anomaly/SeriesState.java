package io.millrace.anomaly;

import java.util.List;

/**
 * What {@link DetectAnomalies} keeps of a series. Components are only ever added, at the end.
 *
 * @param metric the series' metric
 * @param labels the series' cell
 * @param detector a {@link Detector}, as it writes itself
 * @param windowMs length of the windows
 * @param lastWindow start of the last window that was judged, epoch ms
 * @param timer the watermark at which the next window is judged, epoch ms
 * @param emptyWindows how many windows before that, in a row, had no row
 * @param openedAt start of the window that opened the alert, epoch ms
 * @param windowsFiring of the alert; 0 when there is none
 */
public record SeriesState(
    String metric,
    List<String> labels,
    byte[] detector,
    long windowMs,
    long lastWindow,
    long timer,
    int emptyWindows,
    long openedAt,
    int windowsFiring) {}
