import ArgumentParser
import SPDDetection
import SPDDriver
import SPDTraining
import SPDFormats

struct DatasetConvert: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Convert a detection data set between YOLO's labels and COCO's annotations.",
    discussion: """
      A data set in one format is written in the other, as a folder with a data.yaml; its images are links. Outlines \
      are kept both ways, crowds only in COCO's format.
      """)

  @OptionGroup var input: DatasetInput
  @Option(name: .shortAndLong, help: ArgumentHelp("Output folder.", valueName: "dir")) var output: String
  @Flag(help: "Write boxes alone, without outlines.") var boxes = false
  @Flag(help: "Replace a data set in the output folder.") var force = false
  @Flag(help: "Print the summary as JSON.") var json = false

  private struct Answer: Encodable {
    var output: String, format: String
    var splits: [DatasetConversion.Part]
    var classes: [DatasetConversion.ClassEntry]
  }

  func run() async throws {
    try await reporting {
      let splits = try input.splits(try input.open())
      let coco = splits.filter { $0.data.categoryIDs != nil }
      guard coco.isEmpty || coco.count == splits.count else {
        throw Failure(
          .usage, printable("\(input.data): splits are in both formats; convert them one by one with --split"))
      }
      let format = coco.isEmpty ? DatasetConversion.Format.coco : .yolo
      for (split, data) in splits where data.report.corrupt > 0 || !data.report.issues.isEmpty {
        data.report.issues.prefix(20).forEach { Console.warning($0.description) }
        Console.warning(
          "\(split): \(data.report.corrupt) images are left out; `spdc dataset check --json` lists all issues")
      }
      let progress = ScanProgress("converting")
      let report = try await Interruption.temporary(FolderWriter.temporaryPath(for: output)) {
        defer { progress.finish() }
        return try DatasetConversion.write(
          splits, as: format, to: output, outlines: !boxes, replaces: force
        ) { progress.update($0, of: $1) }
      }
      if json {
        let answer = Answer(output: output, format: format.rawValue, splits: report.parts, classes: report.classes)
        return try Console.print(json: answer)
      }
      for part in report.parts {
        Console.print(
          printable(
            "\(part.split)  \(grouped(part.imageCount)) images of \(part.images), \(grouped(part.objects)) objects, "
              + "\(grouped(part.outlines)) with an outline"
              + (part.crowds == 0 ? "" : format == .yolo ? "; \(grouped(part.crowds)) crowds are left out" : "")))
      }
      let rows =
        [["class", "category id", "name"]]
        + report.classes.map { ["\($0.index)", "\($0.categoryID)", printable($0.name)] }
      Console.print(columns(rows, right: [0, 1]))
      Console.print(printable("\(output)/data.yaml"))
    }
  }
}
