import Foundation
import SPD
import SPDData
import SPDVision
import Testing

@testable import SPDDetection

@Suite struct ShapesDetectionTests {
  private func options(_ change: (inout DetectionShapesOptions) -> Void = { _ in }) -> DetectionShapesOptions {
    var options = DetectionShapesOptions()
    change(&options)
    return options
  }

  @Test func anImageDependsOnSeedSplitAndIndexAlone() throws {
    let train = try ShapesDetectionDataset(split: .train, options: options())
    let order = [5, 3, 5, 0].map { (train.image($0), train.labels($0)) }
    #expect(order[0].0 == order[2].0 && order[0].1 == order[2].1 && order[0].0 != order[1].0)
    let again = try ShapesDetectionDataset(split: .train, options: options { $0.training = 6 })
    #expect(again.image(5) == order[0].0 && again.labels(3).objects == order[1].1.objects)
    #expect(try ShapesDetectionDataset(split: .val, options: options()).image(5) != order[0].0)
    #expect(try ShapesDetectionDataset(split: .train, options: options { $0.seed = 1 }).image(5) != order[0].0)
  }

  @Test(arguments: [320, 96]) func boxesAreExactInsideAndHardlyCovered(size: Int) throws {
    let set = try ShapesDetectionDataset(split: .train, options: options { $0.size = size })
    for index in 0..<200 {
      let image = set.labels(index)
      #expect((1...12).contains(image.objects.count))
      var corners: [SIMD4<Float>] = []
      for object in image.objects {
        let box = object.box
        let low = SIMD2(box.x - box.z / 2, box.y - box.w / 2)
        let high = SIMD2(box.x + box.z / 2, box.y + box.w / 2)
        #expect(low.min() > 0 && high.max() < 1)
        let extent = Outline.box(object.polygon)
        #expect(abs((extent - box).max()) < 1e-6 && abs((extent - box).min()) < 1e-6)
        for other in corners {
          let width = min(high.x, other.z) - max(low.x, other.x)
          let height = min(high.y, other.w) - max(low.y, other.y)
          let smaller = min(box.z * box.w, (other.z - other.x) * (other.w - other.y))
          if width > 0, height > 0 { #expect(width * height <= 0.151 * smaller) }
        }
        corners.append(SIMD4(low.x, low.y, high.x, high.y))
      }
    }
  }

  @Test func pixelsOfAnObjectFillItsBox() throws {
    // The same scene without its objects differs exactly where the objects are.
    let set = try ShapesDetectionDataset(split: .train, options: options())
    for index in 0..<5 {
      let scene = set.scene(index).0
      var bare = scene
      bare.objects = []
      var (random, same) = (SplitMix64(seed: 1), SplitMix64(seed: 1))
      let before = bare.drawn(using: &random)
      let after = scene.drawn(using: &same)
      var low = SIMD2(Int.max, Int.max)
      var high = SIMD2(Int.min, Int.min)
      for y in 0..<320 {
        for x in 0..<320 {
          let pixel = (y * 320 + x) * 3..<(y * 320 + x) * 3 + 3
          if before.pixels[pixel] == after.pixels[pixel] { continue }
          low = pointwiseMin(low, SIMD2(x, y))
          high = pointwiseMax(high, SIMD2(x + 1, y + 1))
        }
      }
      let bounds = ObjectScene.bounds(scene.objects.flatMap(\.corners))
      // Within a pixel: a tip covers less of a pixel than a grey level.
      #expect(abs(Double(low.x) - bounds.x) <= 1.5 && abs(Double(low.y) - bounds.y) <= 1.5)
      #expect(abs(Double(high.x) - bounds.z) <= 1.5 && abs(Double(high.y) - bounds.w) <= 1.5)
    }
  }

  @Test func mostObjectsAreSmallAndAllClassesOccur() throws {
    let statistics = DetectionStatistics(try ShapesDetectionDataset(split: .train, options: options()))
    #expect(
      statistics.fraction(.small) > 0.6 && statistics.fraction(.medium) > 0.15 && statistics.fraction(.large) > 0.01)
    #expect(statistics.classCounts.min()! > statistics.objects / 8 && statistics.images == 1000)
    #expect(statistics.maximumObjects == 12 && statistics.meanObjects > 5)
  }

  @Test func theFolderReadsBackWithTheSameLabels() throws {
    let folder = try DataFolder()
    let small = options { ($0.training, $0.validation, $0.size, $0.classes) = (6, 3, 128, 4) }
    var steps: [Int] = []
    try small.write(to: folder.path + "/shapes", format: .png) { done, _ in steps.append(done) }
    #expect(steps == Array(1...9))
    let data = try DetectionData(contentsOf: folder.path + "/shapes")
    #expect(data.classNames == ["circle", "square", "triangle", "star"] && data.notes.isEmpty)
    for split in [DetectionData.Split.train, .val] {
      let set = try ShapesDetectionDataset(split: split, options: small)
      let read = try data.open(split).dataset
      #expect(read.count == set.count)
      for index in 0..<set.count {
        #expect(read.labels(index).objects.map(\.box) == set.labels(index).objects.map(\.box))
        #expect(try read.image(index) == set.image(index))
      }
    }
    #expect(dataMessage { try small.write(to: folder.path + "/shapes") }?.contains("is not empty") == true)
    try small.write(to: folder.path + "/shapes", outlines: true, replaces: true)
    #expect(
      try folder.names() == ["shapes"]
        && folder.names("shapes/images/val") == ["000000.jpg", "000001.jpg", "000002.jpg"])
    let outlined = try DetectionData(contentsOf: folder.path + "/shapes").open(.train)
    #expect(
      DetectionStatistics(outlined.dataset as! YOLODataset).outlines
        == DetectionStatistics(outlined.dataset as! YOLODataset).objects)
  }

  @Test func impossibleOptionsAreRefused() {
    for change: (inout DetectionShapesOptions) -> Void in [
      { $0.size = 10 }, { $0.size = .max }, { $0.training = 0 }, { $0.training = .max }, { $0.classes = 99 },
    ] { #expect(dataMessage { _ = try ShapesDetectionDataset(split: .train, options: options(change)) } != nil) }
  }

  @Test func aSheetShowsSixteenImages() throws {
    let set = try ShapesDetectionDataset(split: .val, options: options())
    let sheet = try LabelSheet.image(set, cell: 160)
    #expect(sheet.width == 4 * 164 - 4 && sheet.height == 4 * 164 - 4)
    #expect(try LabelSheet.image(set, cell: 160) == sheet)
    let few = try LabelSheet.image(
      try ShapesDetectionDataset(split: .val, options: options { $0.validation = 2 }), cell: 96)
    #expect(few.width == 2 * 100 - 4 && few.height == 96)
  }
}
