import Foundation
import SPDReport
import SPDVision

/// An image with a wrong prediction.
public struct Misclassification: Sendable {
  /// The image of the data set, before normalisation.
  public var image: Image
  public var truth: Int
  public var prediction: Int
  /// Probability of the prediction, from 0 to 1.
  public var confidence: Double?
  /// The image's file, or its index in the data set.
  public var name: String

  public init(image: Image, truth: Int, prediction: Int, confidence: Double? = nil, name: String = "") {
    self.image = image
    self.truth = truth
    self.prediction = prediction
    self.confidence = confidence
    self.name = name
  }
}

/// A classifier's sections of a report: confusion matrix and misclassified images.
public struct ClassificationSections: Sendable {
  /// Confusion matrix of the validation set.
  public var confusion: ConfusionMatrix
  /// Images to show, in this order.
  public var misclassified: [Misclassification]
  /// Names by class index.
  public var classNames: [String]

  public init(confusion: ConfusionMatrix, misclassified: [Misclassification], classNames: [String]) {
    self.confusion = confusion
    self.misclassified = misclassified
    self.classNames = classNames
  }

  /// - Throws: `ImageError` for an image that cannot be encoded.
  public var sections: [ReportSection] {
    get throws { try [confusionSection()] + (misclassified.isEmpty ? [] : [sheet()]) }
  }

  private func confusionSection() throws -> ReportSection {
    var section = ReportSection("Confusion matrix")
    section.paragraph(
      "\(confusion.total) validation images, top-1 accuracy \(percent(confusion.accuracy ?? 0)). "
        + "Rows are normalised by class.")
    section.markup(try HeatMap(title: "", matrix: confusion, names: (0..<confusion.classes).map(name)).html())
    let confusions = confusion.confusions(limit: 15)
    if !confusions.isEmpty {
      section.heading("Most frequent confusions")
      section.table(
        header: ["true", "predicted", "images", "fraction of class"],
        rows: confusions.map { truth, prediction, count in
          [
            name(truth), name(prediction), "\(count)",
            percent(Double(count) / Double(max(1, confusion.support(truth)))),
          ]
        })
    }
    return section
  }

  private func sheet() throws -> ReportSection {
    var section = ReportSection("Misclassified images")
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
    section.markup(
      "<p><span class=\"true\">True class</span> and "
        + "<span class=\"wrong\">predicted class</span> with its probability.</p>")
    section.markup("<div class=\"sheet\">\n\(figures.joined(separator: "\n"))\n</div>")
    return section
  }

  /// Scales down large images to limit the file size. Small images are unchanged: the page enlarges them without smoothing.
  private func thumbnail(_ image: Image) -> Image {
    let limit = 128
    let side = max(image.width, image.height)
    guard side > limit else { return image }
    func scaled(_ length: Int) -> Int { max(1, length * limit / side) }
    return resizeBilinear(image, width: scaled(image.width), height: scaled(image.height))
  }

  private func name(_ index: Int) -> String { index < classNames.count ? classNames[index] : "class \(index)" }
  private func percent(_ value: Double) -> String { String(format: "%.2f %%", value * 100) }
}
