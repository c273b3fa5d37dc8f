import ArgumentParser
import SPDData
import SPDDetection
import SPDDriver
import SPDFormats
import SPDTraining

struct Dataset: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check, generate and convert detection data sets.",
    discussion: """
      A data set is a data.yaml, the folder that holds it, a folder with images/train and labels/train or with \
      train/images and train/labels, or a .json of COCO annotations.
      """,
    subcommands: [DatasetCheck.self, DatasetShapes.self, DatasetConvert.self])
}

/// What the subcommands that read a data set have in common.
struct DatasetInput: ParsableArguments {
  @Argument(help: ArgumentHelp("Data set: a data.yaml, its folder, or a .json of COCO annotations.", valueName: "data"))
  var data: String
  @Option(
    help: ArgumentHelp(
      "Folder of the images that COCO annotations name. Default: where they are found.", valueName: "dir"))
  var images: String?
  @Option(help: "Split: train, val or test. Default: all that the data set has.") var split: DetectionData.Split?
  @Flag(name: .customLong("no-cache"), help: "Neither read nor write the cache of the scan.") var noCache = false

  func open() throws -> DetectionData {
    let data = try DetectionData(contentsOf: data, images: images)
    data.notes.forEach(Console.note)
    return data
  }

  /// Opens the wanted splits, with progress.
  ///
  /// - Parameters:
  ///   - readsAllHeaders: also of images whose sizes annotations give.
  ///   - failed: called for a split that cannot be opened, where the user named none; nil ends the command then.
  func splits(
    _ data: DetectionData, readsAllHeaders: Bool = false, failed: ((DetectionData.Split, any Error) -> Void)? = nil
  ) throws -> [(split: DetectionData.Split, data: OpenedDataset)] {
    if let split { return [(split, try open(split, of: data, readsAllHeaders: readsAllHeaders))] }
    return try data.splits.compactMap { split in
      do {
        return (split, try open(split, of: data, readsAllHeaders: readsAllHeaders))
      } catch {
        guard let failed else { throw error }
        failed(split, error)
        return nil
      }
    }
  }

  private func open(
    _ split: DetectionData.Split, of data: DetectionData, readsAllHeaders: Bool
  ) throws -> OpenedDataset {
    try openSplit(split, of: data, isStrict: false, usesCache: !noCache, readsAllHeaders: readsAllHeaders)
  }
}

extension DetectionData.Split: ExpressibleByArgument {}
