/// The text that the demonstration vocabularies are learned from: written for this project, in the language of prompts.
enum DemoText {
    static let text = """
        A photo of a red fox in the snow, sitting under an old tree in the morning light. A photo of a cat on a window
        sill, looking at the rain. A photo of a small wooden house by a lake, with mountains in the background and soft
        clouds in the sky. A painting of a ship on a stormy sea, oil on canvas, with strong brush strokes and deep blue
        colors. A drawing of a castle on a hill, pencil on paper, highly detailed. A portrait of an old man with a white
        beard, warm light from the side, shallow depth of field. A portrait of a young woman with long dark hair, wearing
        a green dress, standing in a field of yellow flowers at sunset.

        The quick brown dog jumps over the lazy river, while the wind plays with the leaves. The light of the moon falls
        on the water, and the water gives it back to the night. The garden behind the house is full of roses, tulips and
        tall grass; bees fly from flower to flower, and a little bird sings on the fence. The street is empty, the shops
        are closed, and only one lamp is burning in front of the station. The train comes out of the fog, slowly, with two
        bright lights, and stops with a long, tired sound.

        A wide landscape with a winding road, golden hour, cinematic lighting, volumetric fog, high resolution. A close
        up photo of a bee on a purple flower, macro lens, sharp focus, blurred background. A bowl of fresh fruit on a
        wooden table: apples, oranges, grapes and a sliced lemon, still life, natural light. A glass of water with ice and
        a slice of lime, studio lighting, reflections on a black surface. A cup of coffee beside an open book, steam
        rising, cozy room, autumn colors.

        A futuristic city at night, neon signs, wet streets, reflections, flying cars, cyberpunk style, digital art. A
        robot made of copper and brass, standing in a library, steampunk, intricate details, concept art. An astronaut
        riding a horse on the moon, black sky, the earth in the distance. A dragon sleeping on a pile of gold, dark cave,
        fantasy illustration, dramatic shadows. A wizard with a long staff walking through a forest of giant mushrooms,
        glowing spores, magical atmosphere, trending style.

        A child flying a kite on the beach, summer day, bright colors, happy mood. Two friends walking their dogs in the
        park, spring, cherry trees in bloom, soft pastel colors. A woman reading a letter beside a window, in the style of
        the old Dutch masters. A man repairing a bicycle in a small workshop, tools on the wall, dust in the sunlight. A
        family having dinner at a long table, candles, laughter, warm interior, evening.

        A white horse running through shallow water, splashing, low angle, fast shutter. An owl on a branch, big round
        eyes, feathers in detail, dark forest. A whale jumping out of the ocean, drops of water in the air, storm clouds.
        A black cat with green eyes sitting on a stack of books. A puppy sleeping in a basket, soft blanket, gentle light.
        A tiger walking through tall grass, looking at the camera, wildlife photography. A peacock with open feathers, blue
        and green, symmetrical, ornate pattern.

        The old bridge over the river is made of stone, and its arches are mirrored in the calm water below. High above
        the valley stands a tower without a door. Nobody remembers who built it, or why its windows look to the north. On
        clear nights a single star seems to rest on top of the roof, and the people in the village say that it has always
        been there, waiting. In winter the snow covers the road, the fields and the forest, and the whole country becomes
        one white page on which only the foxes write.

        A minimal poster with simple shapes, flat colors, strong contrast, red and black on a white background. A seamless
        pattern of leaves and berries, watercolor, light paper texture. A logo of a bear holding a tree, vector art, clean
        lines. An isometric view of a tiny room with a desk, a computer, plants and a sleeping cat, three dimensional
        render, soft shadows. A map of an island with mountains, rivers, harbors and sea monsters, ink on old paper. A
        stained glass window showing the sun, the moon and the stars. A marble statue of a goddess, museum light, very
        detailed folds of cloth.

        Bad quality, low quality, worst quality, blurry, out of focus, cropped, watermark, text, signature, extra fingers,
        bad hands, deformed face, ugly, noisy, grainy, overexposed, underexposed, jpeg artifacts. Best quality, masterpiece,
        very high detail, sharp, realistic, natural skin texture, professional photography, award winning, beautiful
        composition, perfect lighting, depth of field, film grain, wide angle, bokeh, long exposure, black and white.

        The same scene again, but in winter; the same room, but empty; the same face, thirty years later. Replace the sky
        with a sunset. Remove the person on the left. Put a hat on the dog. Make the water more blue and the grass more
        green. Fill the hole in the wall with bricks, and keep everything else as it is. Behind the curtain there is
        another window, and behind that window there is the sea.

        What does a machine see when it makes a picture? First there is only noise, like rain on a screen. Then, step by
        step, large shapes appear: a dark place here, a bright place there, the line where the ground meets the sky. Later
        come the edges, the colors and the shadows, and at the very end the small things, an eye, a leaf, the thread of a
        sleeve. Every step asks the same question: which part of this is noise? Every step takes a little of it away. And
        when nothing is left to take away, we call the rest a picture.
        """

    /// Words with what stands before them: true at the beginning and after white space.
    static func words() -> [(word: String, followsSpace: Bool)] {
        var words: [(word: String, followsSpace: Bool)] = []
        for run in text.split(whereSeparator: \.isWhitespace) {
            var start = run.startIndex
            while start < run.endIndex {
                var end = run.index(after: start)
                if run[start].isLetter { while end < run.endIndex, run[end].isLetter { end = run.index(after: end) } }
                words.append((String(run[start..<end]), start == run.startIndex))
                start = end
            }
        }
        return words
    }
}
