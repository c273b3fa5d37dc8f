import Foundation
import SPDVision

@testable import SPDDetection

/// The recorded cases of Tests/Peers/augmentation.py; pixels are base64.
func recordedCase<Case: Decodable>(_ name: String, as type: Case.Type = Case.self) throws -> Case {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  let file = folder.appendingPathComponent("Fixtures/augmentation/\(name).json")
  return try JSONDecoder().decode(Case.self, from: Data(contentsOf: file))
}

/// The script's test image: squares of noise and of a gradient.
func checkeredImage(_ width: Int, _ height: Int, seed: Int) -> Image {
  var state = UInt32(seed)
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      for channel in 0..<3 {
        state = state &* 1_664_525 &+ 1_013_904_223
        let ramp = (x * 5 + y * 3 + channel * 80) % 256
        pixels.append((x / 8 + y / 8) % 2 == 0 ? UInt8(state >> 24) : UInt8(ramp))
      }
    }
  }
  return Image(width: width, height: height, pixels: pixels)
}

struct RecordedPlan: Decodable {
  var perspectiveX, perspectiveY, angle, scale, shearX, shearY, translateX, translateY: Double

  var plan: PerspectivePlan {
    var plan = PerspectivePlan()
    (plan.perspectiveX, plan.perspectiveY) = (perspectiveX, perspectiveY)
    (plan.angle, plan.scale) = (angle, scale)
    (plan.shearX, plan.shearY) = (shearX, shearY)
    (plan.translateX, plan.translateY) = (translateX, translateY)
    return plan
  }
}

struct RecordedObject: Decodable {
  var classIndex: Int
  var box: [Double]
  var polygon: [[Double]]

  var object: PixelObject {
    PixelObject(
      classIndex: classIndex, box: SIMD4(box[0], box[1], box[2], box[3]),
      polygon: polygon.map { SIMD2($0[0], $0[1]) })
  }
}

/// The greatest difference of two lists of objects in pixels; infinite where they have other classes.
func difference(_ first: [PixelObject], _ second: [PixelObject]) -> Double {
  guard first.map(\.classIndex) == second.map(\.classIndex) else { return .infinity }
  return zip(first, second).map { first, second in
    let box = first.box - second.box
    return (0..<4).map { abs(box[$0]) }.max()!
  }.max() ?? 0
}

/// The greatest difference of two images in grey levels.
func difference(_ image: Image, _ bytes: Data) -> Int {
  guard image.pixels.count == bytes.count else { return .max }
  return zip(image.pixels, bytes).map { abs(Int($0) - Int($1)) }.max() ?? 0
}

/// The script's checksum: the sum of bytes times (position mod 65521) + 1.
func weightedChecksum(_ bytes: [UInt8]) -> UInt64 {
  var sum: UInt64 = 0
  for (position, byte) in bytes.enumerated() { sum &+= UInt64(byte) &* UInt64(position % 65_521 + 1) }
  return sum
}
