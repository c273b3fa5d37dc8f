import Foundation
import SPDFormats
import SPDVision

/// An image that the network took for something else.
public struct Misclassification: Sendable {
  /// As the data set has it, before normalisation.
  public var image: Image
  public var truth: Int
  public var prediction: Int
  /// The probability that the network gave to its prediction, from 0 to 1.
  public var confidence: Double?
  /// The image's file, or its place in the data set.
  public var name: String

  public init(image: Image, truth: Int, prediction: Int, confidence: Double? = nil, name: String = "") {
    self.image = image
    self.truth = truth
    self.prediction = prediction
    self.confidence = confidence
    self.name = name
  }
}

/// What became of a training, as one HTML file: curves, confusion matrix, misclassified images, configuration.
public struct TrainingReport: Sendable {
  public var title: String
  public var state: TrainingState
  /// Further facts for the head of the page, such as the number of parameters.
  public var facts: [(name: String, value: String)] = []
  /// Of the validation set; nil where there is none.
  public var confusion: ConfusionMatrix?
  /// What the sheet shows, in this order; as many as make sense on a page.
  public var misclassified: [Misclassification] = []
  /// By class index.
  public var classNames: [String] = []

  public init(title: String, state: TrainingState) {
    self.title = title
    self.state = state
  }

  /// Writes the page, whole or not at all.
  ///
  /// - Throws: `FormatError` where the system refuses, `ImageError` for an image that cannot be encoded.
  public func write(to path: String) throws {
    let html = try html()
    try writeAtomically(to: path) { try $0.write(Array(html.utf8)) }
  }

  public func html() throws -> String {
    var page = Page(title: title)
    page.facts(headFacts)
    page.heading("Curves")
    page.markup("<div class=\"charts\">\(charts.map(\.html).joined(separator: "\n"))</div>")
    if let confusion { try add(confusion, to: &page) }
    if !misclassified.isEmpty { try addSheet(to: &page) }
    page.heading("Configuration")
    addConfiguration(to: &page)
    return page.html
  }

  private var headFacts: [(name: String, value: String)] {
    var facts: [(name: String, value: String)] = [
      ("epochs", "\(state.epoch) of \(state.configuration.epochs)")
    ]
    if let last = state.history.series("val/top1").last { facts.append(("top-1, last", percent(last.value))) }
    if let best = state.best { facts.append(("top-1, best", "\(percent(best.metric)) (epoch \(best.epoch))")) }
    if let last = state.history.series("val/top5").last { facts.append(("top-5, last", percent(last.value))) }
    let seconds = state.history.series("seconds").reduce(0) { $0 + $1.value }
    if seconds > 0 { facts.append(("time", TrainingProgress.duration(seconds))) }
    return facts + self.facts
  }

  /// Loss, accuracy and learning rate over the epochs; the curves are the history's columns of those names.
  private var charts: [LineChart] {
    func series(_ suffixes: [String], scale: Double = 1) -> [LineChart.Series] {
      state.history.columns.filter { column in suffixes.contains { column.hasSuffix($0) } }.map { column in
        LineChart.Series(
          name: column, points: state.history.series(column).map { (Double($0.epoch), $0.value * scale) })
      }.filter { !$0.points.isEmpty }
    }
    return [
      ("Loss", series(["/loss"])), ("Accuracy, %", series(["/top1", "/top5"], scale: 100)),
      ("Learning rate", series(["lr"])),
    ].map { LineChart(title: $0, xLabel: "epoch", series: $1, width: 404, height: 260) }
  }

  private func add(_ confusion: ConfusionMatrix, to page: inout Page) throws {
    page.heading("Confusion matrix")
    page.paragraph(
      "\(confusion.total) images of the validation set, \(percent(confusion.accuracy ?? 0)) recognised. "
        + "Each row is normalised to its class.")
    page.markup(try HeatMap(title: "", matrix: confusion, names: (0..<confusion.classes).map(name)).html())
    let confusions = confusion.confusions(limit: 15)
    if !confusions.isEmpty {
      page.heading("Most frequent confusions")
      page.table(
        header: ["true", "taken for", "images", "of the class"],
        rows: confusions.map { truth, prediction, count in
          [
            name(truth), name(prediction), "\(count)",
            percent(Double(count) / Double(max(1, confusion.support(truth)))),
          ]
        })
    }
  }

  private func addSheet(to page: inout Page) throws {
    page.heading("Misclassified images")
    let figures = try misclassified.map { mistake in
      let data = Data(try thumbnail(mistake.image).png()).base64EncodedString()
      let confidence =
        mistake.confidence.map { " <span class=\"soft\">\(String(format: "%.0f", $0 * 100))\u{a0}%</span>" } ?? ""
      let (truth, prediction) = (escaped(name(mistake.truth)), escaped(name(mistake.prediction)))
      return """
        <figure title="\(escaped(mistake.name))"><img alt="\(truth)" src="data:image/png;base64,\(data)">\
        <figcaption><span class="true">\(truth)</span><br><span class="wrong">\(prediction)</span>\(confidence)\
        </figcaption></figure>
        """
    }
    page.markup(
      "<p><span class=\"true\">The true class</span>, and "
        + "<span class=\"wrong\">what the network took it for</span> with its probability.</p>")
    page.markup("<div class=\"sheet\">\n\(figures.joined(separator: "\n"))\n</div>")
  }

  /// Small enough that many fit into a page's file. Images that are small already stay as they are: the page enlarges
  /// them without smoothing.
  private func thumbnail(_ image: Image) -> Image {
    let limit = 128
    let side = max(image.width, image.height)
    guard side > limit else { return image }
    func scaled(_ length: Int) -> Int { max(1, length * limit / side) }
    return resizeBilinear(image, width: scaled(image.width), height: scaled(image.height))
  }

  private func addConfiguration(to page: inout Page) {
    let settings = state.configuration.settings
    let preset = TrainingPreset.configuration(
      named: state.configuration.preset, model: state.configuration.model)?.settings
    let changed = preset.map { preset in Set(settings.indices.filter { settings[$0].value != preset[$0].value }) } ?? []
    let help = TrainingConfiguration.settingHelp
    page.paragraph("What differs from the preset \(state.configuration.preset) is bold.")
    page.table(
      header: ["setting", "value", "meaning"],
      rows: zip(settings, help).map { [$0.key, $0.value, $1.help] }, marked: changed)
  }

  private func name(_ index: Int) -> String { index < classNames.count ? classNames[index] : "class \(index)" }
  private func percent(_ value: Double) -> String { String(format: "%.2f %%", value * 100) }
}
