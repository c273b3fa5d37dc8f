import Foundation
import SPDDriver
import SPDFormats
import SPDVision

/// What is written to a folder for each image that a detector runs on.
public struct DetectorFiles: Sendable {
  public let folder: String
  /// Class names by class index.
  public let names: [String]
  let savesImages, savesText, savesConfidence, savesCrops: Bool
  /// Names in the folder by the input's path: without extension, and of the annotated image.
  private var stems: [String: String] = [:]
  private var images: [String: String] = [:]

  /// Chooses the names, which are those of the inputs with their subfolders, and creates the folder.
  ///
  /// - Parameters:
  ///   - savesImages: writes each image with its boxes, and each video as MP4.
  ///   - savesText: writes `labels/NAME.txt` in YOLO's format: class, centre x, centre y, width and height as fractions.
  ///   - savesConfidence: adds the confidence to each line of these.
  ///   - savesCrops: writes `crops/CLASS/NAME-N.jpg`.
  /// - Throws: `Failure` with `.usage` where an image would be overwritten, and with `.cannotWrite`.
  public init(
    folder: String, names: [String], for inputs: ImageInputs, savesImages: Bool = true, savesText: Bool = false,
    savesConfidence: Bool = false, savesCrops: Bool = false
  ) throws {
    (self.folder, self.names, self.savesImages) = (folder, names, savesImages)
    (self.savesText, self.savesConfidence, self.savesCrops) = (savesText, savesConfidence, savesCrops)
    func place(_ path: String) -> String {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
    let sources = Set(inputs.entries.filter { $0.failure == nil }.map { place($0.path) })
    var origins: [String: String] = [:]
    var next: [String: Int] = [:]
    for entry in inputs.entries where entry.failure == nil {
      let isPNG = URL(fileURLWithPath: entry.path).pathExtension.lowercased() == "png"
      let whole = (entry.name as NSString).deletingPathExtension
      func image(_ stem: String) -> String { stem + (entry.isVideo ? ".mp4" : isPNG ? ".png" : ".jpg") }
      func outputs(_ stem: String) -> [String] {
        [
          savesImages ? image(stem) : nil, savesText ? "labels/\(stem).txt" : nil,
          savesCrops ? "crops/CLASS/\(stem)" : nil,
        ].compactMap(\.self)
      }
      // Images of one name, from two folders or with two extensions, are told apart by numbers.
      func isTaken(_ stem: String) -> Bool {
        outputs(stem).contains { origins[$0] != nil && origins[$0] != entry.path }
      }
      var stem = whole
      while isTaken(stem) {
        next[whole, default: 1] += 1
        stem = "\(whole)-\(next[whole]!)"
      }
      let target = URL(fileURLWithPath: folder).appendingPathComponent(image(stem)).path
      guard !savesImages || !sources.contains(place(target)) else {
        throw Failure(.usage, "-o \(folder) would overwrite \(target); give another folder")
      }
      if stem != whole {
        let other = outputs(whole).compactMap { origins[$0] }.first ?? ""
        Messages.warning(printable("\(entry.path) has the name of \(other); what is written of it is called \(stem)"))
      }
      for output in outputs(stem) { origins[output] = entry.path }
      stems[entry.path] = stem
      images[entry.path] = target
    }
    try Files.createFolder(URL(fileURLWithPath: folder))
  }

  /// The path of an input's annotated image or video.
  func target(of entry: ImageInputs.Entry) -> String { images[entry.path] ?? "" }

  /// Writes what was asked for about an image, or a frame of a video.
  ///
  /// - Parameter frame: number of the frame from 1.
  func save(_ detections: [Detection], in image: Image, of entry: ImageInputs.Entry, frame: Int? = nil) throws {
    let stem = (stems[entry.path] ?? "") + (frame.map { "_\($0)" } ?? "")
    if savesText {
      try write("labels/\(stem).txt") { try Files.write(labels(detections, image), to: $0) }
    }
    if savesCrops {
      for (index, detection) in detections.enumerated() {
        guard let crop = image.cropped(to: detection.box) else { continue }
        let name = Self.folderName(names[detection.classIndex], detection.classIndex)
        try write("crops/\(name)/\(stem)-\(index + 1).jpg") { try Self.write(crop, to: $0) }
      }
    }
    if savesImages, frame == nil {
      let target = target(of: entry)
      try Files.createFolder(URL(fileURLWithPath: target).deletingLastPathComponent())
      try Self.write(annotated(image, detections), to: target)
    }
  }

  func annotated(_ image: Image, _ detections: [Detection]) -> Image {
    var annotated = image
    annotate(&annotated, detections: detections, names: names)
    return annotated
  }

  /// Lines of YOLO's format: class, centre x, centre y, width and height as fractions of the sides, and the score if it was
  /// asked for.
  private func labels(_ detections: [Detection], _ image: Image) -> String {
    let size = SIMD4(Float(image.width), Float(image.height), Float(image.width), Float(image.height))
    return detections.map { detection in
      let box = detection.box / size
      let values = [(box.x + box.z) / 2, (box.y + box.w) / 2, box.z - box.x, box.w - box.y]
      let numbers = (values + (savesConfidence ? [detection.score] : [])).map { String(format: " %g", $0) }
      return "\(detection.classIndex)" + numbers.joined() + "\n"
    }.joined()
  }

  private func write(_ name: String, _ body: (String) throws -> Void) throws {
    let url = URL(fileURLWithPath: folder).appendingPathComponent(name)
    try Files.createFolder(url.deletingLastPathComponent())
    try body(url.path)
  }

  private static func write(_ image: Image, to path: String) throws {
    try image.encoded(as: path).withUnsafeBytes { try Files.write($0, to: path) }
  }

  /// A class's name as that of a folder: any name, also one with slashes, names one folder inside `crops`.
  private static func folderName(_ name: String, _ index: Int) -> String {
    var text = ""
    for scalar in printable(name).unicodeScalars {
      text.unicodeScalars.append(scalar == "/" || scalar == "\\" || scalar == ":" ? "_" : scalar)
    }
    if text.utf8.first == UInt8(ascii: ".") { text = "_" + text }
    return text.isEmpty || text.utf8.count > 200 ? "class \(index)" : text
  }
}
