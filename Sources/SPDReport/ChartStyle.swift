/// The style of all charts.
package enum ChartStyle {
  /// A palette that is safe for colour-blind readers, for light and dark mode.
  private static let palette: [(light: String, dark: String)] = [
    ("#0072b2", "#56a9e8"), ("#d55e00", "#f28a3c"), ("#009e73", "#2fc79b"), ("#aa4499", "#dd88cc"),
    ("#8a6d00", "#d9b92e"), ("#555555", "#b0b0b0"), ("#882255", "#e0709f"), ("#2f8fa8", "#7fd3e6"),
  ]
  package static let seriesCount = palette.count

  /// The style sheet for a page's head or an SVG file. Some SVG renderers lack CSS variables, so each colour is written out
  /// for both modes.
  package static let css: String = {
    func rules(_ text: String, _ faint: String, _ strong: String, _ page: String, _ colours: [String]) -> String {
      let series = colours.enumerated().map { index, colour in
        ".chart .s\(index){stroke:\(colour)}.chart .f\(index){fill:\(colour)}"
      }
      return """
        .chart text{fill:\(text)}.chart .title{fill:\(strong)}.chart .value{fill:\(strong)}
        .chart .grid{stroke:\(faint)}.chart .axis{stroke:\(text)}.chart .page{fill:\(page)}
        .chart .error{stroke:\(strong)}.chart .missing{stroke:\(text)}.chart .inverse{fill:\(page)}.chart .halo{stroke:\(page)}
        \(series.joined(separator: "\n"))

        """
    }
    return """
      .chart{font:12px system-ui,"Segoe UI","DejaVu Sans",sans-serif}
      .chart .title{font-size:14px;font-weight:600}
      .chart .small{font-size:10px}
      .chart .grid,.chart .axis{stroke-width:1;shape-rendering:crispEdges}
      .chart .line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
      .chart .dashed{stroke-dasharray:5 4}
      .chart .mark{fill-opacity:0;stroke:none}
      .chart .mark:hover{fill-opacity:1}
      .chart .error{stroke-width:1.2}
      .chart .trial{fill:none;stroke-width:1.6;stroke-opacity:.75}
      .chart .trial:hover{stroke-width:4;stroke-opacity:1}
      .chart .winner{stroke-width:3.5;stroke-opacity:1}
      .chart .missing{stroke-dasharray:4 4;stroke-opacity:.5}
      .chart .halo{stroke-width:3;paint-order:stroke;stroke-linejoin:round}
      \(rules("#555", "#e4e4e4", "#1a1a1a", "#fff", palette.map(\.light)))\
      @media (prefers-color-scheme:dark){
      \(rules("#a8adb4", "#33383f", "#eceff3", "#14171b", palette.map(\.dark)))}

      """
  }()

  /// Returns the colour of a value from 0 to 1, from dark violet to yellow; readable in light and dark mode and in greyscale.
  package static func gradient(_ value: Double) -> String {
    let stops: [(Double, Double, Double)] = [
      (85, 45, 135), (62, 95, 160), (40, 140, 145), (65, 175, 110), (215, 190, 40),
    ]
    let position = min(max(value, 0), 1) * Double(stops.count - 1)
    let index = min(Int(position), stops.count - 2)
    let part = position - Double(index)
    let (from, to) = (stops[index], stops[index + 1])
    func mixed(_ first: Double, _ second: Double) -> Int { Int((first + (second - first) * part).rounded()) }
    return "rgb(\(mixed(from.0, to.0)),\(mixed(from.1, to.1)),\(mixed(from.2, to.2)))"
  }

  /// Estimates the width of a text, since SVG does not lay out text.
  package static func width(of text: String, size: Double = 12) -> Double {
    text.unicodeScalars.reduce(0) { $0 + ($1.value < 0x2e80 ? 0.58 : 1.05) * size }
  }

  /// Truncates a text to a width.
  package static func fitting(_ text: String, width: Double, size: Double = 12) -> String {
    if self.width(of: text, size: size) <= width { return text }
    var cut = text
    while !cut.isEmpty, self.width(of: cut + "…", size: size) > width { cut.removeLast() }
    return cut + "…"
  }
}
