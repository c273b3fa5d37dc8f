import ArgumentParser
import Foundation
import SPDDetection
import SPDDriver
import SPDFormats
import SPDVision

struct DatasetCheck: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Scan a detection data set and report bad files, classes and object sizes.",
    discussion: """
      Image headers and labels are read, pixels are not. A wrong image or label file leaves out its image and is named \
      with path, line and reason; repeated rows are removed.
      """)

  @OptionGroup var input: DatasetInput
  @Flag(help: "Fail if an image is left out.") var strict = false
  @Option(help: ArgumentHelp("Write a sheet of 16 labelled images (.png, .jpg) per split.", valueName: "file"))
  var sheet: String?
  @Option(help: "Random seed that chooses the images of the sheet.") var seed: UInt64 = 0
  @Flag(help: "Print the report as JSON, with every issue.") var json = false

  func validate() throws {
    if let sheet, !["png", "jpg", "jpeg"].contains(URL(fileURLWithPath: sheet).pathExtension.lowercased()) {
      throw ValidationError("--sheet must end in .png or .jpg.")
    }
  }

  func run() async throws {
    try await reporting {
      let data = try input.open()
      var report = DatasetReport(data: input.data, notes: data.notes, splits: [], errors: [])
      // Many a data.yaml names a test split that is not on the disk.
      let splits = try input.splits(data) { split, error in
        report.errors.append("\(split): \(Failure(error).message)")
      }
      for (split, opened) in splits {
        var part = DatasetReport.Part(split, opened)
        if let sheet {
          let path = splits.count == 1 ? sheet : Self.path(sheet, for: split)
          let image = try LabelSheet.image(opened.dataset, seed: seed)
          do { try Files.writing { try image.write(to: path) } } catch { throw Failure(error) }
          part.sheet = path
        }
        report.splits.append(part)
      }
      if json { try Console.print(json: report) } else { report.print() }
      report.errors.forEach(Console.error)
      if !report.errors.isEmpty { throw ExitCode(Failure.Code.data.rawValue) }
      let corrupt = report.splits.reduce(0) { $0 + $1.corrupt }
      if strict, corrupt > 0 {
        throw Failure(.data, printable("\(input.data): \(corrupt) images cannot be used; correct or remove them"))
      }
    }
  }

  /// `sheet.png` becomes `sheet-val.png`.
  private static func path(_ sheet: String, for split: DetectionData.Split) -> String {
    let suffix = URL(fileURLWithPath: sheet).pathExtension
    return sheet.dropLast(suffix.count + 1) + "-\(split).\(suffix)"
  }
}

/// The result of `spdc dataset check`.
struct DatasetReport: Encodable {
  struct ClassCount: Encodable { var name: String, objects: Int }
  struct ImageSize: Encodable { var width: Int, height: Int, images: Int }

  struct Part: Encodable {
    var split: String
    var images: Int, labelled: Int, missing: Int, empty: Int, corrupt: Int
    var objects: Int, crowds: Int, outlines: Int, withoutArea: Int
    /// By COCO's limits: below 32², to 96², above.
    var small: Int, medium: Int, large: Int
    var meanObjects: Double, maximumObjects: Int
    var classes: [ClassCount]
    var imageSizes: [ImageSize]
    var issues: [ScanIssue]
    var notes: [String]
    var sheet: String?

    enum CodingKeys: String, CodingKey {
      case split, images, labelled, missing, empty, corrupt, objects, crowds, outlines, small, medium, large, classes
      case issues, notes, sheet
      case withoutArea = "without_area"
      case meanObjects = "mean_objects"
      case maximumObjects = "maximum_objects"
      case imageSizes = "image_sizes"
    }

    init(_ split: DetectionData.Split, _ opened: OpenedDataset) {
      let scan = opened.report
      let statistics = DetectionStatistics(opened.dataset)
      self.split = split.rawValue
      (images, labelled, missing, empty, corrupt) = (scan.count, scan.labelled, scan.missing, scan.empty, scan.corrupt)
      (objects, crowds) = (statistics.objects, statistics.crowds)
      (outlines, withoutArea) = (statistics.outlines, statistics.withoutArea)
      func count(_ size: DetectionStatistics.Size) -> Int { statistics.sizes[size] ?? 0 }
      (small, medium, large) = (count(.small), count(.medium), count(.large))
      (meanObjects, maximumObjects) = (statistics.meanObjects, statistics.maximumObjects)
      classes = zip(opened.dataset.classNames, statistics.classCounts).map { ClassCount(name: $0, objects: $1) }
      imageSizes = statistics.commonImageSizes.map { ImageSize(width: $0.width, height: $0.height, images: $0.count) }
      (issues, notes) = (scan.issues, scan.notes)
    }
  }

  var data: String
  var notes: [String]
  var splits: [Part]
  /// Why splits cannot be opened.
  var errors: [String]
}

extension DatasetReport {
  /// Maximum number of issues that are printed; JSON has all.
  private static let shownIssues = 20

  fileprivate func print() {
    for part in splits { Self.print(part) }
    if splits.isEmpty { return }
    var rows = [["class"] + splits.map(\.split)]
    for index in splits.first?.classes.indices ?? 0..<0 {
      let counts = splits.map { $0.classes.indices.contains(index) ? grouped($0.classes[index].objects) : "" }
      rows.append([printable(splits[0].classes[index].name)] + counts)
    }
    Console.print(columns(rows, right: Set(1..<rows[0].count)))
  }

  private static func print(_ part: Part) {
    func share(_ count: Int) -> String {
      part.objects == 0
        ? "0" : String(format: "%@ (%.1f %%)", grouped(count), 100 * Double(count) / Double(part.objects))
    }
    for note in part.notes { Console.note("\(part.split): \(note)") }
    for issue in part.issues.prefix(shownIssues) { Console.warning(issue.description) }
    if part.issues.count > shownIssues {
      Console.warning("\(part.split): \(part.issues.count - shownIssues) more issues; --json lists all")
    }
    let sizes = part.imageSizes.prefix(3).map { "\($0.width)×\($0.height) (\(grouped($0.images)))" }
    let more = part.imageSizes.count > 3 ? " and \(part.imageSizes.count - 3) more" : ""
    Console.print(
      """
      \(part.split): \(grouped(part.images)) images
        labelled \(grouped(part.labelled)), without label file \(grouped(part.missing)), with an empty one \
      \(grouped(part.empty)), left out \(grouped(part.corrupt))
        objects  \(grouped(part.objects)), \(String(format: "%.1f", part.meanObjects)) per image, at most \
      \(part.maximumObjects); \(grouped(part.outlines)) with an outline\(part.crowds > 0 ? "; \(grouped(part.crowds)) crowds" : "")\
      \(part.withoutArea > 0 ? "; \(grouped(part.withoutArea)) without area" : "")
        sizes    small \(share(part.small)), medium \(share(part.medium)), large \(share(part.large))
        images   \(sizes.joined(separator: ", "))\(more)
      """)
    if let sheet = part.sheet { Console.print("  sheet    \(printable(sheet))") }
    Console.print("")
  }
}
