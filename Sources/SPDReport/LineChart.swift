/// Values over a common axis, such as losses over epochs.
public struct LineChart: Sendable {
  public struct Series: Sendable {
    public var name: String
    /// Points in ascending order of x. A y that is not finite interrupts the line.
    public var points: [(x: Double, y: Double)]
    public var isDashed: Bool
    /// Whether a line connects the points.
    public var isConnected: Bool

    public init(
      name: String, points: [(x: Double, y: Double)], isDashed: Bool = false, isConnected: Bool = true
    ) {
      self.name = name
      self.points = points
      self.isDashed = isDashed
      self.isConnected = isConnected
    }
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var series: [Series]
  /// Whether the y axis is logarithmic, which cannot show values of zero and below.
  public var isLogarithmic: Bool
  public var width: Double
  public var height: Double

  public init(
    title: String, xLabel: String = "", yLabel: String = "", series: [Series], isLogarithmic: Bool = false,
    width: Double = 620, height: Double = 300
  ) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
    self.isLogarithmic = isLogarithmic
    self.width = width
    self.height = height
  }

  /// The chart as an SVG file.
  public var svg: String { drawing.document }
  /// The chart as an SVG element for a page with `chartStyleSheet`.
  public var html: String { drawing.inline(label: title) }

  private var drawing: SVG {
    var svg = SVG(width: width, height: height)
    let points = series.flatMap(\.points)
    let xs = points.map(\.x)
    let isWhole = xs.allSatisfy { $0 == $0.rounded() }
    // Labels of fractions are longer.
    let x = AxisScale(
      covering: xs, isTight: Set(xs).count > 1, isWhole: isWhole, ticks: isWhole ? 8 : max(2, Int(width / 100)))
    let y = AxisScale(covering: points.map(\.y), isLogarithmic: isLogarithmic)
    let frame = ChartFrame(
      &svg, title: title, xLabel: xLabel, yLabel: yLabel, y: y,
      xTicks: x.ticks.compactMap { tick in x.position(tick).map { ($0, x.label(tick)) } }, legend: series.map(\.name))

    func place(_ point: (x: Double, y: Double)) -> (Double, Double)? {
      guard let across = x.position(point.x), let up = y.position(point.y) else { return nil }
      return (frame.left + across * frame.width, frame.bottom - up * frame.height)
    }
    var isEmpty = true
    for (index, series) in series.enumerated() {
      let colour = index % ChartStyle.seriesCount
      for run in series.points.map(place).split(separator: nil, omitting: { $0 == nil }) {
        isEmpty = false
        if run.count == 1 || !series.isConnected {
          for place in run { svg.circle(place, radius: 2.5, class: "f\(colour)") }
        } else {
          svg.polyline(run, class: "line s\(colour)" + (series.isDashed ? " dashed" : ""))
        }
      }
    }
    // Draw marks above all lines, so that they receive pointer events.
    for (index, series) in series.enumerated() {
      for point in series.points {
        guard let place = place(point) else { continue }
        let name = series.name.isEmpty ? "" : "\(series.name)\n"
        let what = xLabel.isEmpty ? "" : "\(xLabel) "
        svg.circle(
          place, radius: 4, class: "mark f\(index % ChartStyle.seriesCount)",
          title: "\(name)\(what)\(AxisScale.short(point.x)): \(AxisScale.short(point.y))")
      }
    }
    if isEmpty {
      svg.text("no values", at: (frame.left + frame.width / 2, frame.top + frame.height / 2), anchor: .middle)
    }
    return svg
  }
}

/// The style sheet of charts, to be included once per page.
public let chartStyleSheet = ChartStyle.css

extension Array {
  /// Splits the elements at nil values.
  fileprivate func split<Wrapped>(
    separator: Wrapped?, omitting isGap: (Element) -> Bool
  ) -> [[Wrapped]] where Element == Wrapped? {
    split(whereSeparator: isGap).map { $0.compactMap { $0 } }
  }
}
