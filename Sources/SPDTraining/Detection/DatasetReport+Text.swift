import Foundation
import SPDDetection
import SPDDriver
import SPDFormats

extension DatasetReport {
  /// The objects of each class as a table with a column for each split; safe to print.
  public var classTable: String {
    var rows = [["class"] + splits.map(\.split)]
    for index in splits.first?.classes.indices ?? 0..<0 {
      let counts = splits.map { $0.classes.indices.contains(index) ? grouped($0.classes[index].objects) : "" }
      rows.append([printable(splits[0].classes[index].name)] + counts)
    }
    return columns(rows, right: Set(1..<rows[0].count))
  }
}

extension DatasetReport.Split {
  /// The first issues as text, and how many more there are.
  public func issues(upTo limit: Int) -> [String] {
    issues.prefix(limit).map(\.description)
      + (issues.count > limit ? ["\(split): \(issues.count - limit) more issues; --json lists all"] : [])
  }

  /// The counts on a few lines; safe to print.
  public var text: String {
    func share(_ count: Int) -> String {
      objects == 0 ? "0" : String(format: "%@ (%.1f %%)", grouped(count), 100 * Double(count) / Double(objects))
    }
    let sizes = imageSizes.prefix(3).map { "\($0.width)×\($0.height) (\(grouped($0.images)))" }
    let more = imageSizes.count > 3 ? " and \(imageSizes.count - 3) more" : ""
    return """
      \(split): \(grouped(images)) images
        labelled \(grouped(labelled)), without label file \(grouped(missing)), with an empty one \(grouped(empty)), \
      left out \(grouped(corrupt))
        objects  \(grouped(objects)), \(String(format: "%.1f", meanObjects)) per image, at most \(maximumObjects); \
      \(grouped(outlines)) with an outline\(crowds > 0 ? "; \(grouped(crowds)) crowds" : "")\
      \(withoutArea > 0 ? "; \(grouped(withoutArea)) without area" : "")
        sizes    small \(share(small)), medium \(share(medium)), large \(share(large))
        images   \(sizes.joined(separator: ", "))\(more)\(sheet.map { "\n  sheet    \(printable($0))" } ?? "")
      """
  }
}
