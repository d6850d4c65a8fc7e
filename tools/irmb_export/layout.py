"""How an iRMB regroups its tensors, in several spellings.

All give the same numbers. Traced by an exporter they give different graphs: modules in the wild use
einops, so graphs meant to look like theirs are exported with EinopsLayout.

Shapes: B images, C channels, H x W padded map, n1 x n2 windows of h1 x w1 tokens, N = h1 w1.
"""


from torch.nn import functional as F


class PlainLayout:
    """Reshape and permute only."""

    @staticmethod
    def shape(x):
        return x.shape

    @staticmethod
    def pad(x, bottom, right):
        return F.pad(x, (0, right, 0, bottom))

    @classmethod
    def partition(cls, x, n1, n2):
        """[B, C, H, W] -> [B n1 n2, C, h1, w1]: pixel (y, x) goes to window (y mod n1, x mod n2)."""
        b, c, h, w = cls.shape(x)
        x = x.reshape(b, c, h // n1, n1, w // n2, n2).permute(0, 3, 5, 1, 2, 4)
        return x.reshape(b * n1 * n2, c, h // n1, w // n2)

    @classmethod
    def unpartition(cls, x, n1, n2):
        """Undoes partition()."""
        b, c, h, w = cls.shape(x)
        x = x.reshape(b // (n1 * n2), n1, n2, c, h, w).permute(0, 3, 4, 1, 5, 2)
        return x.reshape(b // (n1 * n2), c, h * n1, w * n2)

    @classmethod
    def split_qk(cls, x, heads):
        """[B, 2 heads d, h, w] -> [2, B, heads, N, d]."""
        b, c, h, w = cls.shape(x)
        x = x.reshape(b, 2, heads, c // (2 * heads), h, w).permute(1, 0, 2, 4, 5, 3)
        return x.reshape(2, b, heads, h * w, c // (2 * heads))

    @classmethod
    def split_heads(cls, x, heads):
        """[B, heads d, h, w] -> [B, heads, N, d]."""
        b, c, h, w = cls.shape(x)
        return x.reshape(b, heads, c // heads, h * w).transpose(2, 3)

    @classmethod
    def join_heads(cls, x, h, w):
        """Undoes split_heads()."""
        b, heads, _, d = cls.shape(x)
        return x.transpose(2, 3).reshape(b, heads * d, h, w)


class ChunkLayout(PlainLayout):
    """q and k are cut apart before they are split into heads: Split stands for Gather."""

    @staticmethod
    def split_qk(x, heads):
        return [PlainLayout.split_heads(part, heads) for part in x.chunk(2, dim=1)]


class StaticLayout(PlainLayout):
    """Sizes are numbers, not tensors: an export is free of their arithmetic, and for one size only."""

    @staticmethod
    def shape(x):
        return tuple(map(int, x.shape))


class EinopsLayout:
    """Spelled with einops.rearrange, as the modules in the wild are."""

    shape = PlainLayout.shape

    @staticmethod
    def pad(x, bottom, right):
        return F.pad(x, (0, right, 0, bottom, 0, 0))

    @staticmethod
    def partition(x, n1, n2):
        from einops import rearrange
        return rearrange(x, "b c (h1 n1) (w1 n2) -> (b n1 n2) c h1 w1", n1=n1, n2=n2).contiguous()

    @staticmethod
    def unpartition(x, n1, n2):
        from einops import rearrange
        return rearrange(x, "(b n1 n2) c h1 w1 -> b c (h1 n1) (w1 n2)", n1=n1, n2=n2).contiguous()

    @staticmethod
    def split_qk(x, heads):
        from einops import rearrange
        return rearrange(x, "b (qk g d) h w -> qk b g (h w) d", qk=2, g=heads).contiguous()

    @staticmethod
    def split_heads(x, heads):
        from einops import rearrange
        return rearrange(x, "b (g d) h w -> b g (h w) d", g=heads).contiguous()

    @staticmethod
    def join_heads(x, h, w):
        from einops import rearrange
        return rearrange(x, "b g (h w) d -> b (g d) h w", h=h, w=w).contiguous()
