import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@testable import SPDReport
@testable import SPDTraining

/// Whether a text is well-formed XML, and what it consists of.
final class XMLReading: NSObject, XMLParserDelegate {
  private(set) var elements: [String] = []
  private(set) var attributes: [[String: String]] = []
  private(set) var text = ""

  init?(_ xml: String) {
    super.init()
    let parser = XMLParser(data: Data(xml.utf8))
    parser.delegate = self
    // A document that is cut off is parsed without complaint, but has an error.
    guard parser.parse(), parser.parserError == nil else { return nil }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    elements.append(name)
    self.attributes.append(attributes)
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

  func count(_ element: String, class name: String? = nil) -> Int {
    zip(elements, attributes).count { $0 == element && (name == nil || $1["class"]?.contains(name!) == true) }
  }

  /// The numbers of an attribute, in the order of the elements.
  func numbers(_ attribute: String, of element: String, class name: String) -> [Double] {
    zip(elements, attributes).filter { $0 == element && $1["class"]?.contains(name) == true }.compactMap {
      $1[attribute].flatMap { Double($0) }
    }
  }
}

struct ChartTests {
  private let awkward = "a<b> & \"c\" \u{1}é"

  @Test func axes() {
    func ticks(_ values: [Double], tight: Bool = false, whole: Bool = false, log: Bool = false) -> [String] {
      let scale = AxisScale(covering: values, isLogarithmic: log, isTight: tight, isWhole: whole)
      return scale.ticks.map(scale.label)
    }
    #expect(ticks([0, 1]) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(ticks([0.13, 2.34]) == ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"])
    #expect(ticks([-3, 7]) == ["-4", "-2", "0", "2", "4", "6", "8"])
    #expect(ticks([-0.3, 0.3]) == ["-0.4", "-0.2", "0.0", "0.2", "0.4"])
    #expect(ticks([1, 60], tight: true) == ["20", "40", "60"])
    #expect(ticks([1, 3], whole: true) == ["1", "2", "3"])
    #expect(ticks([5]) == ["4.4", "4.6", "4.8", "5.0", "5.2", "5.4", "5.6"])
    #expect(ticks([]) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(ticks([.nan, .infinity, 0, 2e-5]) == ["0", "5e-06", "1e-05", "1.5e-05", "2e-05"])
    #expect(ticks([1e308, -1e308, 1]) == ticks([1]) && ticks([1e16, 1e16 + 2]).count > 3)
    #expect(ticks([-1e299, 1e299]).count > 3)
    #expect(ticks([0.0008, 0.1], log: true) == ["0.0001", "0.001", "0.01", "0.1"])
    #expect(ticks([0.02, 0.3], log: true) == ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"])
    #expect(ticks([0, -1, 1e-9, 1e9], log: true).first == "1e-09")
    let scale = AxisScale(covering: [1, 100], isLogarithmic: true)
    #expect(scale.position(10) == 0.5 && scale.position(0) == nil && scale.position(.nan) == nil)
    #expect(AxisScale(covering: [0, 10]).position(2.5) == 0.25)
  }

  @Test func lineChart() throws {
    let chart = LineChart(
      title: awkward, xLabel: "epoch", yLabel: "loss",
      series: [
        .init(name: "train", points: [(1, 4), (2, 2), (3, .nan), (4, 1), (5, 0)]),
        .init(name: "val", points: [(1, 3)], isDashed: true),
      ])
    let svg = try #require(XMLReading(chart.svg))
    // The gap splits the first line; the second series is a single point.
    #expect(svg.count("polyline", class: "s0") == 2 && svg.count("polyline", class: "s1") == 0)
    #expect(svg.count("circle", class: "mark") == 5)
    #expect(svg.text.contains("a<b> & \"c\" \u{fffd}é") && svg.text.contains("train\nepoch 4: 1"))
    // Larger values stand higher, later ones further right.
    let (x, y) = (svg.numbers("cx", of: "circle", class: "mark"), svg.numbers("cy", of: "circle", class: "mark"))
    #expect(Array(x[0..<4]) == x[0..<4].sorted() && Array(y[0..<4]) == y[0..<4].sorted())
    #expect(zip(x, y).allSatisfy { (0...620).contains($0) && (0...300).contains($1) })
    #expect(chart.svg == chart.svg)
    #expect(XMLReading(chart.html)?.elements.first == "svg")
    #expect(XMLReading(LineChart(title: "", series: []).svg)?.text.contains("no values") == true)
  }

  @Test func barChart() throws {
    let bar = try #require(BarChart.Bar(mean: [1, 2, 3]))
    #expect(bar == .init(value: 2, low: 1, high: 3) && BarChart.Bar(mean: []) == nil)
    #expect(BarChart.Bar(mean: [4]) == .init(value: 4))
    let chart = BarChart(
      title: "t", groups: ["32", awkward],
      series: [.init(name: "a", bars: [bar, nil]), .init(name: "b", bars: [.init(value: 4), .init(value: -1)])])
    let svg = try #require(XMLReading(chart.svg))
    let heights = svg.numbers("height", of: "rect", class: "f").filter { $0 != 10 }
    #expect(heights.count == 3 && abs(heights[1] / heights[0] - 2) < 1e-3 && abs(heights[1] / heights[2] - 4) < 1e-2)
    #expect(svg.count("line", class: "error") == 3)
    #expect(svg.text.contains("a, 32: 2 (1 to 3)"))
  }

  @Test func parallelCoordinates() throws {
    let plot = ParallelCoordinates(
      title: awkward,
      axes: [
        .init(name: "lr", kind: .logarithmic), .init(name: "optimizer", kind: .words(["sgd", "adam"])),
        .init(name: "top-1", kind: .linear),
      ],
      lines: [
        .init(values: [.number(0.1), .word("sgd"), .number(0.9)], label: "best"),
        .init(values: [.number(0.01), .word("adam"), .number(0.1)], label: "worst"),
        .init(values: [.number(0.001), .word("sgd"), nil], label: "failed"),
      ])
    let svg = try #require(XMLReading(plot.svg))
    let classes = zip(svg.elements, svg.attributes).filter { $0.0 == "path" }.map { $0.1["class"]! }
    #expect(classes == ["trial missing", "trial", "trial winner"])
    // The line without a result ends at the axis before.
    let paths = zip(svg.elements, svg.attributes).filter { $0.0 == "path" }.map { $0.1["d"]! }
    #expect(paths.map { $0.count { $0 == "C" } } == [1, 2, 2])
    #expect(svg.text.contains("best") && svg.text.contains("adam"))
    #expect(XMLReading(ParallelCoordinates(title: "", axes: plot.axes, lines: []).svg) != nil)
  }

  @Test func heatMap() throws {
    var matrix = ConfusionMatrix(classes: 3)
    for _ in 0..<9 { matrix.add(truth: 1, prediction: 1) }
    matrix.add(truth: 1, prediction: 2)
    let svg = try #require(XMLReading(try HeatMap(title: "t", matrix: matrix, names: ["a", awkward]).svg()))
    #expect(svg.count("rect", class: "f0") == 3 && svg.count("rect", class: "f1") == 6)
    #expect(svg.text.contains("predicted as class 2: 1 (10.0 %)"))
    // Many classes are one image.
    let large = try HeatMap(title: "t", matrix: ConfusionMatrix(classes: 200), names: []).svg()
    let image = try #require(XMLReading(large))
    #expect(image.count("image") == 1 && image.count("rect") == 1 && large.utf8.count < 100_000)
  }
}
