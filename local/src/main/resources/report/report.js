// Draws every chart of the page's data, again when the colour scheme changes. The data's texts reach the
// page as text only: by SVG text nodes, textContent and attributes.
(function () {
  'use strict';
  const MOST_BARS = 15;
  const HOUR = 3600000;
  // Without system-ui, which a canvas, by which texts are measured, may take for another font than the page.
  const FONT = '-apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';
  const charts = JSON.parse(document.getElementById('data').textContent);
  const drawn = new Map();

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // '2026-01-05' and '2026-01-05 19:00' as milliseconds, anything else as NaN.
  const instant = (name) =>
    /^\d{4}-\d\d-\d\d( \d\d:\d\d)?$/.test(name) ? Date.parse(name.replace(' ', 'T') + (name.length > 10 ? 'Z' : '')) : NaN;

  // A time without a row had no events: it is drawn as 0, so that the axis keeps its scale.
  function withoutGaps(points) {
    const times = points.map((p) => instant(p.name));
    if (times.some(Number.isNaN)) return points;
    const step = points[0].name.length > 10 ? HOUR : 24 * HOUR;
    const filled = [];
    points.forEach((point, i) => {
      for (let t = i ? times[i - 1] + step : times[i]; t < times[i]; t += step) {
        const text = new Date(t).toISOString();
        const name = step === HOUR ? text.slice(0, 10) + ' ' + text.slice(11, 16) : text.slice(0, 10);
        filled.push({ name, value: 0, label: '0' });
      }
      filled.push(point);
    });
    return filled;
  }

  function tooltip(points, title) {
    return {
      confine: true,
      backgroundColor: colour('--card'),
      borderColor: colour('--line'),
      textStyle: { color: colour('--ink'), fontSize: 13 },
      formatter: (hit) => {
        const point = points[(Array.isArray(hit) ? hit[0] : hit).dataIndex];
        const box = document.createElement('div');
        box.textContent = point.name + '  ' + title + ': ' + point.label;
        box.style.maxWidth = '280px';
        box.style.whiteSpace = 'normal';
        return box;
      },
    };
  }

  const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
  const axisNumber = (chart) => (v) => (chart.share ? Math.round(v * 1000) / 10 + ' %' : short.format(v));

  function bars(chart, width) {
    const points = chart.points.slice(0, MOST_BARS);
    return {
      height: points.length * 33 + 10,
      option: {
        grid: { left: 4, right: 74, top: 4, bottom: 4, containLabel: true },
        tooltip: Object.assign({ trigger: 'item' }, tooltip(points, chart.title)),
        xAxis: { type: 'value', show: false, min: 0 },
        yAxis: {
          type: 'category',
          inverse: true,
          data: points.map((p) => p.name),
          axisLine: { show: false },
          axisTick: { show: false },
          axisLabel: { color: colour('--ink'), fontSize: 13, interval: 0, width: Math.max(80, width * 0.36), overflow: 'truncate' },
        },
        series: [{
          type: 'bar',
          data: points.map((p) => p.value),
          barMaxWidth: 20,
          barMinHeight: 2,
          itemStyle: { color: colour(chart.share ? '--share' : '--count'), borderRadius: [0, 4, 4, 0] },
          label: {
            show: true, position: 'right', color: colour('--muted'), fontSize: 13,
            formatter: (hit) => points[hit.dataIndex].label,
          },
        }],
      },
    };
  }

  function overTime(chart, width) {
    const points = withoutGaps(chart.points);
    const line = chart.kind === 'lines';
    const timed = points.every((p) => !Number.isNaN(instant(p.name)));
    const hourly = timed && points[0].name.length > 10;
    const few = !line && points.length <= 12;
    // The least distance of labels, in hours or days, at which they have room.
    const step = [1, 2, 3, 6, 12, 24, 48, 168, 720].find((n) => points.length / n <= width / 64) || points.length;
    const ink = colour(chart.share ? '--share' : '--count');
    const peak = points.reduce((most, p, i) => (p.value > points[most].value ? i : most), 0);
    return {
      height: 250,
      option: {
        grid: { left: 8, right: 24, top: 30, bottom: 8, containLabel: true },
        tooltip: Object.assign({ trigger: 'axis', axisPointer: { type: line ? 'line' : 'shadow' } }, tooltip(points, chart.title)),
        xAxis: {
          type: 'category',
          boundaryGap: !line,
          data: points.map((p) => p.name),
          axisLine: { lineStyle: { color: colour('--line') } },
          axisTick: { show: false },
          axisLabel: {
            color: colour('--muted'), fontSize: 12, margin: 12, hideOverlap: true,
            interval: few || !timed ? 0 : (i, name) => (hourly ? instant(name) / HOUR : i) % step === 0,
            formatter: (name) => (!timed ? name : hourly && name.slice(11) !== '00:00' ? name.slice(11) : name.slice(5, 10)),
          },
        },
        yAxis: {
          type: 'value',
          min: 0,
          splitNumber: 4,
          splitLine: { lineStyle: { color: colour('--line') } },
          axisLabel: { color: colour('--muted'), fontSize: 12, formatter: axisNumber(chart) },
        },
        series: [{
          type: line ? 'line' : 'bar',
          data: points.map((p, i) => (line && i === peak ? { value: p.value, symbolSize: 8, label: { show: true } } : p.value)),
          symbol: 'circle',
          symbolSize: points.length > 1 ? 0.01 : 8,
          showAllSymbol: true,
          barMaxWidth: 56,
          lineStyle: { width: 2, color: ink },
          areaStyle: line ? { color: ink, opacity: 0.12 } : undefined,
          itemStyle: { color: ink, borderRadius: [4, 4, 0, 0] },
          label: {
            show: few, position: 'top', color: colour('--muted'), fontSize: 12,
            formatter: (hit) => points[hit.dataIndex].label,
          },
        }],
      },
    };
  }

  // In words, for whoever does not see the chart: how many, the greatest and the least.
  function summary(chart) {
    const known = chart.points.filter((p) => p.value !== null);
    if (!known.length) return chart.title + ' by ' + chart.by + ': no values';
    const most = known.reduce((a, b) => (b.value > a.value ? b : a));
    const least = known.reduce((a, b) => (b.value < a.value ? b : a));
    return chart.title + ' by ' + chart.by + ', ' + known.length + ' values: most ' + most.name + ' with ' + most.label +
      ', least ' + least.name + ' with ' + least.label;
  }

  function draw(chart) {
    const box = document.getElementById(chart.id);
    const width = box.clientWidth;
    if (drawn.has(chart.id)) drawn.get(chart.id).dispose();
    const made = chart.kind === 'bars' ? bars(chart, width) : overTime(chart, width);
    box.style.height = made.height + 'px';
    box.removeAttribute('aria-labelledby');
    box.setAttribute('aria-label', summary(chart));
    if (chart.kind === 'bars' && chart.points.length > MOST_BARS && !drawn.has(chart.id)) {
      const rest = document.createElement('p');
      rest.className = 'note';
      rest.textContent = 'The first ' + MOST_BARS + ' of ' + chart.points.length + '; the table has all.';
      box.after(rest);
    }
    const instance = echarts.init(box, null, { renderer: 'svg', width, height: made.height });
    instance.setOption(Object.assign({ animation: false, textStyle: { fontFamily: FONT } }, made.option));
    drawn.set(chart.id, instance);
    drawn.get(chart.id).drawnWidth = width;
  }

  const drawAll = () => charts.forEach(draw);
  drawAll();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  let waiting = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() =>
      charts.filter((c) => drawn.get(c.id).drawnWidth !== document.getElementById(c.id).clientWidth).forEach(draw));
  }).observe(document.querySelector('main'));
  document.documentElement.dataset.charts = String(drawn.size);
})();
