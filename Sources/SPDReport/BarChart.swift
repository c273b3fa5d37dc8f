/// Groups of bars with error bars: several networks, each at several resolutions.
public struct BarChart: Sendable {
  /// A value with its error bar.
  public struct Bar: Sendable, Equatable {
    public var value: Double
    public var low: Double
    public var high: Double
    /// Text after the value in the tooltip: "3 seeds".
    public var note: String

    public init(value: Double, low: Double? = nil, high: Double? = nil, note: String = "") {
      self.value = value
      self.low = low ?? value
      self.high = high ?? value
      self.note = note
    }

    /// Makes a bar from the mean of results ± one sample standard deviation (n − 1); nil without results.
    public init?(mean results: [Double], note: String = "") {
      guard !results.isEmpty else { return nil }
      let mean = results.reduce(0, +) / Double(results.count)
      let squares = results.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let deviation = results.count > 1 ? (squares / Double(results.count - 1)).squareRoot() : 0
      self.init(value: mean, low: mean - deviation, high: mean + deviation, note: note)
    }
  }

  public struct Series: Sendable {
    public var name: String
    /// One bar per group; nil for a missing one.
    public var bars: [Bar?]

    public init(name: String, bars: [Bar?]) {
      self.name = name
      self.bars = bars
    }
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var groups: [String]
  public var series: [Series]
  public var width: Double
  public var height: Double

  public init(
    title: String, xLabel: String = "", yLabel: String = "", groups: [String], series: [Series], width: Double = 620,
    height: Double = 300
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.groups = groups
    self.series = series
    self.width = width
    self.height = height
  }

  /// The chart as an SVG file.
  public var svg: String { drawing.document }
  /// The chart as an SVG element for a page with `chartStyleSheet`.
  public var html: String { drawing.inline(label: title) }

  private var drawing: SVG {
    var svg = SVG(width: width, height: height)
    // Bars start at zero, so the axis must include it.
    let y = AxisScale(covering: [0] + series.flatMap(\.bars).compactMap { $0 }.flatMap { [$0.value, $0.low, $0.high] })
    let slot = 1 / Double(max(1, groups.count))
    let frame = ChartFrame(
      &svg, title: title, xLabel: xLabel, yLabel: yLabel, y: y,
      xTicks: groups.enumerated().map { ((Double($0.offset) + 0.5) * slot, $0.element) }, legend: series.map(\.name))
    func level(_ value: Double) -> Double { frame.bottom - (y.position(value) ?? 0) * frame.height }

    let groupWidth = slot * frame.width
    let barWidth = min(48, groupWidth * 0.76 / Double(max(1, series.count)))
    for (index, series) in series.enumerated() {
      for (group, bar) in series.bars.enumerated() {
        guard let bar, bar.value.isFinite, group < groups.count else { continue }
        let middle = frame.left + (Double(group) + 0.5) * groupWidth
        let x = middle + (Double(index) - Double(self.series.count) / 2) * barWidth
        let (upper, lower) = (level(max(bar.value, 0)), level(min(bar.value, 0)))
        let spread = bar.high > bar.low ? " (\(AxisScale.short(bar.low)) to \(AxisScale.short(bar.high)))" : ""
        svg.rectangle(
          x: x + 1, y: upper, width: barWidth - 2, height: lower - upper, class: "f\(index % ChartStyle.seriesCount)",
          title: "\(series.name), \(groups[group]): \(AxisScale.short(bar.value))\(spread)"
            + (bar.note.isEmpty ? "" : ", \(bar.note)"))
        guard bar.high > bar.low else { continue }
        let centre = x + barWidth / 2
        let cap = min(5, barWidth / 4)
        svg.line((centre, level(bar.low)), (centre, level(bar.high)), class: "error")
        for end in [bar.low, bar.high] {
          svg.line((centre - cap, level(end)), (centre + cap, level(end)), class: "error")
        }
      }
    }
    return svg
  }
}
