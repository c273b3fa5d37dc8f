/// Title, axes, grid and legend of a chart.
package struct ChartFrame {
  package let left: Double
  package let top: Double
  package let right: Double
  package let bottom: Double

  package var width: Double { right - left }
  package var height: Double { bottom - top }

  /// Draws everything around the data.
  ///
  /// - Parameters:
  ///   - xTicks: positions from 0 to 1 with labels.
  ///   - legend: names of the series in order.
  package init(
    _ svg: inout SVG, title: String, xLabel: String, yLabel: String, y: AxisScale,
    xTicks: [(position: Double, label: String)], legend: [String]
  ) {
    let labels = y.ticks.map(y.label)
    let labelWidth = labels.map { ChartStyle.width(of: $0) }.max() ?? 0
    left = labelWidth + (yLabel.isEmpty ? 18 : 38)
    right = svg.width - 16
    // Place the legend beside the title if it fits, otherwise in separate rows.
    let rows = ChartFrame.legendRows(
      legend, from: ChartStyle.width(of: title, size: 14) + left + 24, to: right, next: left)
    top = 34 + Double(rows.last?.row ?? 0) * 18
    bottom = svg.height - (xLabel.isEmpty ? 26 : 44)

    if !title.isEmpty { svg.text(title, at: (left, 20), class: "title") }
    for (index, entry) in rows.enumerated() {
      let line = 20 + Double(entry.row) * 18
      svg.rectangle(x: entry.x, y: line - 9, width: 10, height: 10, class: "f\(index % ChartStyle.seriesCount)")
      svg.text(entry.name, at: (entry.x + 15, line))
    }
    for (tick, label) in zip(y.ticks, labels) {
      let place = bottom - (y.position(tick) ?? 0) * height
      svg.line((left, place), (right, place), class: "grid")
      svg.text(label, at: (left - 6, place + 4), anchor: .end)
    }
    for (position, label) in xTicks {
      let place = left + position * width
      svg.line((place, bottom), (place, bottom + 4), class: "axis")
      svg.text(label, at: (place, bottom + 17), anchor: .middle)
    }
    svg.line((left, bottom), (right, bottom), class: "axis")
    if !xLabel.isEmpty { svg.text(xLabel, at: ((left + right) / 2, svg.height - 10), anchor: .middle) }
    if !yLabel.isEmpty { svg.text(yLabel, at: (14, (top + bottom) / 2), anchor: .middle, angle: -90) }
  }

  /// - Parameters:
  ///   - first: start of the first row; the others start at `next`.
  private static func legendRows(
    _ names: [String], from first: Double, to end: Double, next: Double
  ) -> [(name: String, x: Double, row: Int)] {
    guard names.count > 1 else { return [] }
    var x = first
    var row = 0
    return names.map { name in
      let name = ChartStyle.fitting(name, width: end - next - 15)
      let width = ChartStyle.width(of: name) + 15
      if x + width > end, x > next { (x, row) = (next, row + 1) }
      defer { x += width + 16 }
      return (name, x, row)
    }
  }
}
