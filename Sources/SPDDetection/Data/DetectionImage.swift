import SPDData
import SPDFormats
import SPDVision

/// Reads an image of a data set: JPEG, PNG or BMP, by content.
///
/// - Parameter labelled: what a scan found; an image that has another size by now does not fit its labels.
func readDetectionImage(_ labelled: LabelledImage) throws(DataError) -> Image {
  let path = labelled.path
  let image: Image
  do throws(DataError) {
    image = try ImageFiles.read(path) { _ in }
  } catch {
    if error.isOfTheMachine { throw error }
    // Where the whole folder is missing, as with an unmounted disk, the image itself is not broken.
    let folder = Paths.folder(of: path)
    if !folder.isEmpty, PathKind(of: folder) == nil {
      throw DataError(path: folder, what: "the folder is missing", remedy: "restore it", isOfTheMachine: true)
    }
    throw error
  }
  return try checked(image, labelled)
}

private func checked(_ image: Image, _ labelled: LabelledImage) throws(DataError) -> Image {
  guard image.width == labelled.width, image.height == labelled.height else {
    throw DataError(
      path: labelled.path,
      what:
        "the image has \(image.width)×\(image.height) pixels, its labels are for \(labelled.width)×\(labelled.height)",
      remedy: "scan the data set again, or correct the annotations")
  }
  return image
}
