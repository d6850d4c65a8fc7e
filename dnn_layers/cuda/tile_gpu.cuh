#pragma once

/// The half-precision tile operations of cuda/tile.cuh on a GPU. Their plain equivalents, for the
/// tests on the host, are in tests/support/cuda_emulation/tile_emulation.hpp.

namespace irmb::cuda {

__device__ inline unsigned char* sharedMemory() {
    extern __shared__ __align__(16) unsigned char shared_memory[];
    return shared_memory;
}

__device__ inline unsigned sharedAddress(const __half* from) {
    return static_cast<unsigned>(__cvta_generic_to_shared(from));
}

/// rows(r, k) = from[r * stride + k], in shared memory.
__device__ inline void loadRows(Rows<__half, 16>& rows, const __half* from, int stride) {
    const int lane = threadIdx.x % warp_size;
    const unsigned address = sharedAddress(from + lane % 16 * stride + lane / 16 * 8);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(rows.r[0]), "=r"(rows.r[1]), "=r"(rows.r[2]), "=r"(rows.r[3])
                 : "r"(address));
}
__device__ inline void loadRows(Rows<__half, 8>& rows, const __half* from, int stride) {
    const unsigned address = sharedAddress(from + threadIdx.x % 16 * stride);
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(rows.r[0]), "=r"(rows.r[1])
                 : "r"(address));
}

/// rows(r, k) = from[k * stride + r], in shared memory.
__device__ inline void loadRowsAcross(Rows<__half, 16>& rows, const __half* from, int stride) {
    const int lane = threadIdx.x % warp_size;
    const int k = lane % 8 + lane / 16 * 8;
    const unsigned address = sharedAddress(from + k * stride + lane / 8 % 2 * 8);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(rows.r[0]), "=r"(rows.r[1]), "=r"(rows.r[2]), "=r"(rows.r[3])
                 : "r"(address));
}

/// columns(k, n) = from[n * stride + k], in shared memory.
__device__ inline void loadColumns(Columns<__half, 8>& columns, const __half* from, int stride) {
    const unsigned address = sharedAddress(from + threadIdx.x % 8 * stride);
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];"
                 : "=r"(columns.r[0])
                 : "r"(address));
}

__device__ inline void loadColumns(Columns<__half, 16>& columns, const __half* from, int stride) {
    const int lane = threadIdx.x % 16;
    const unsigned address = sharedAddress(from + lane % 8 * stride + lane / 8 * 8);
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(columns.r[0]), "=r"(columns.r[1])
                 : "r"(address));
}

/// columns(k, n) = from[k * stride + n], in shared memory.
__device__ inline void loadColumnsAcross(Columns<__half, 16>& columns, const __half* from,
                                         int stride) {
    const unsigned address = sharedAddress(from + threadIdx.x % 16 * stride);
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(columns.r[0]), "=r"(columns.r[1])
                 : "r"(address));
}

__device__ inline void multiply(Result& result, const Rows<__half, 8>& a,
                                const Columns<__half, 8>& b) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(result.v[0]), "+f"(result.v[1]), "+f"(result.v[2]), "+f"(result.v[3])
                 : "r"(a.r[0]), "r"(a.r[1]), "r"(b.r[0]));
}

__device__ inline void multiply(Result& result, const Rows<__half, 16>& a,
                                const Columns<__half, 16>& b) {
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(result.v[0]), "+f"(result.v[1]), "+f"(result.v[2]), "+f"(result.v[3])
                 : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1]));
#else
    // Turing multiplies to a depth of 8; the halves of the fragments are fragments of that depth.
    multiply(result, Rows<__half, 8>{{a.r[0], a.r[1]}}, Columns<__half, 8>{{b.r[0]}});
    multiply(result, Rows<__half, 8>{{a.r[2], a.r[3]}}, Columns<__half, 8>{{b.r[1]}});
#endif
}

} // namespace irmb::cuda
