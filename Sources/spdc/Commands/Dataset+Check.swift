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
      var report = DatasetReport(data: input.data, notes: data.notes)
      // Many a data.yaml names a test split that is not on the disk.
      let splits = try input.splits(data, readsAllHeaders: true) { split, error in
        report.errors.append("\(split): \(Failure(error).message)")
      }
      for (split, opened) in splits {
        var part = DatasetReport.Split(split, opened)
        if let sheet {
          let path = splits.count == 1 ? sheet : Self.path(sheet, for: split)
          let images = (0..<opened.dataset.count).lazy.map { opened.dataset.labels($0).path }
          try Files.require(path, of: "--sheet", isNoneOf: images)
          let image = try LabelSheet.image(opened.dataset, seed: seed)
          try Files.writing { try image.write(to: path) }
          part.sheet = path
        }
        report.splits.append(part)
      }
      if json { try Console.print(json: report) } else { print(report) }
      report.errors.forEach(Console.error)
      if !report.errors.isEmpty { throw ExitCode(Failure.Code.data.rawValue) }
      let corrupt = report.splits.reduce(0) { $0 + $1.corrupt }
      if strict, corrupt > 0 {
        throw Failure(.data, printable("\(input.data): \(corrupt) images cannot be used; correct or remove them"))
      }
    }
  }

  private func print(_ report: DatasetReport) {
    for split in report.splits {
      split.notes.forEach { Console.note("\(split.split): \($0)") }
      split.issues(upTo: 20).forEach(Console.warning)
      Console.print(split.text + "\n")
    }
    if !report.splits.isEmpty { Console.print(report.classTable) }
  }

  /// `sheet.png` becomes `sheet-val.png`.
  private static func path(_ sheet: String, for split: DetectionData.Split) -> String {
    let suffix = URL(fileURLWithPath: sheet).pathExtension
    return sheet.dropLast(suffix.count + 1) + "-\(split).\(suffix)"
  }
}
